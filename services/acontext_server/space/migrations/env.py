"""Alembic's entry: the tables of this service."""

from acontext_server.kit import migrations
from acontext_server.space.store.tables import metadata

migrations.run(metadata)
