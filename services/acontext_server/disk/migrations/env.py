"""Alembic's entry: the tables of this service."""

from acontext_server.disk.store.tables import metadata
from acontext_server.kit import migrations

migrations.run(metadata)
