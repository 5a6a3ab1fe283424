"""Alembic's entry into session's schema."""

from typing import TYPE_CHECKING, cast

from alembic import context

from acontext_server.kit import migrations
from acontext_server.session.store.tables import metadata

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext

# The module is a proxy for the environment that is running.
migrations.run(cast("EnvironmentContext", context), metadata)
