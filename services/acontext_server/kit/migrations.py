"""Schema changes: one Alembic environment per service, each in a PostgreSQL schema of its own.

`python -m acontext_server.kit.migrations upgrade session disk` brings schemas up to date;
`… draft session "what changes"` drafts a revision from the tables, for a person to read.
"""

import sys
from importlib import import_module
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, create_engine, pool, text

from acontext_server.kit.config import Settings
from acontext_server.kit.database import driver_url

LOCK = 0x41636F6E
"""Key of the advisory lock under which schemas change, one process at a time."""


def upgrade(url: str, service: str) -> None:
    """Bring one service's schema up to date; safe to call from several processes at once."""
    engine = create_engine(driver_url(url), poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
        connection.execute(text(f'create schema if not exists "{service}"'))
        command.upgrade(_config(service, connection), "head")
    engine.dispose()


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


def _config(service: str, connection: Connection) -> Config:
    package = import_module(f"acontext_server.{service}")
    config = Config()
    folder = Path(package.__path__[0]) / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
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
