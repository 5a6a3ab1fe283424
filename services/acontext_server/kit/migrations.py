"""Schema changes: one Alembic environment per service, each in a PostgreSQL schema of its own.

`python -m acontext_server.kit.migrations upgrade session disk` brings schemas up to date;
`… draft session "what changes"` drafts a revision from the tables, for a person to read.
"""

import random
import sys
import time
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, MetaData, create_engine, event, pool, text
from sqlalchemy.exc import OperationalError

from acontext_server.kit.config import Settings
from acontext_server.kit.database import Tx, driver_url, refuse_encoding

LOCK = 0x41636F6E
"""Key of the advisory lock under which schemas change, one process at a time."""


TABLE_WAIT_SECONDS = 5
"""How long a change waits for a table: every call that comes meanwhile waits behind it."""
PAUSE_SECONDS = 1.0
TRIES = 30


def upgrade(url: str, service: str, revision: str = "head") -> None:
    """Bring one service's schema up to date, or to a revision of old.

    Raises Misconfigured when the database is in another encoding than UTF8. Safe to call from
    several processes at once. Services may run meanwhile: a change that does not get its table soon
    makes way and comes again.
    """
    engine = create_engine(driver_url(url), poolclass=pool.NullPool)
    # Before anything is asked, since the very answers would be of another type.
    event.listen(engine, "connect", refuse_encoding, insert=True)
    for attempt in range(1, TRIES + 1):
        try:
            with engine.begin() as connection:
                _upgrade(connection, service, revision)
            break
        except OperationalError as error:
            if attempt == TRIES or not isinstance(error.orig, LockNotAvailable):
                raise
        time.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
    engine.dispose()


def _upgrade(connection: Connection, service: str, revision: str) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
    connection.execute(text(f"set local lock_timeout = '{TABLE_WAIT_SECONDS}s'"))
    connection.execute(text(f'create schema if not exists "{service}"'))
    command.upgrade(_config(service, connection), revision)


def check(url: str, service: str) -> None:
    """Fail when the tables in the code and the migrations differ."""
    engine = create_engine(driver_url(url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        command.check(_config(service, connection))
    engine.dispose()


def draft(url: str, service: str, message: str) -> None:
    """Draft a revision from the difference between the tables in the code and a database."""
    engine = create_engine(driver_url(url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text(f'create schema if not exists "{service}"'))
        config = _config(service, connection)
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True)
    engine.dispose()


def run(metadata: MetaData) -> None:
    """Be the whole of a service's `migrations/env.py`."""
    schema = metadata.schema
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _: kind != "schema" or name == schema,
    )
    with context.begin_transaction():
        context.run_migrations()


@dataclass(frozen=True, slots=True)
class Revisions:
    """The migrations that this program knows of one service."""

    head: str
    before: frozenset[str]

    def suffices(self, revision: str | None) -> bool:
        """Say whether a schema at a revision can be worked with.

        One that is not known here is a later version's, and those leave this one working.
        """
        return revision is not None and revision not in self.before


@cache
def revisions(service: str) -> Revisions:
    """List the migrations of one service."""
    scripts = ScriptDirectory.from_config(_config(service))
    head = scripts.get_current_head()
    assert head, f"{service} has no migrations"
    return Revisions(head, frozenset(one.revision for one in scripts.walk_revisions()) - {head})


async def revision_in(tx: Tx, service: str) -> str | None:
    """Say at which revision a database has a service's schema; None where it has none."""
    table = f'"{service}".alembic_version'
    is_there = await tx.execute(text("select to_regclass(:name)"), {"name": table})
    if is_there.scalar_one() is None:
        return None
    found = await tx.execute(text(f"select version_num from {table}"))
    revision: str | None = found.scalar_one_or_none()
    return revision


def _config(service: str, connection: Connection | None = None) -> Config:
    package = import_module(f"acontext_server.{service}")
    config = Config()
    folder = Path(package.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def main(arguments: list[str]) -> None:
    """Run one of the commands of this module."""
    url = Settings().database_url
    match arguments:
        case ["upgrade", *services]:
            for service in services:
                upgrade(url, service)
        case ["draft", service, message]:
            draft(url, service, message)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
