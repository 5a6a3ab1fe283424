"""Alembic's entry into disk's schema."""

from alembic import context

from acontext_server.disk.store.tables import metadata
from acontext_server.kit import migrations

migrations.run(context, metadata)
