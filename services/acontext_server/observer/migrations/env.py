"""Alembic's entry into observer's schema."""

from alembic import context

from acontext_server.kit import migrations
from acontext_server.observer.store.tables import Base

migrations.run(context, Base.metadata)
