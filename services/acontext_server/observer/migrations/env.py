"""Alembic's entry: the tables of this service."""

from acontext_server.kit import migrations
from acontext_server.observer.store.tables import Base

migrations.run(Base.metadata)
