"""Tables, migrations and the rule that every key begins with its project."""

from collections.abc import Iterator

import psycopg
import pytest

from acontext_server.kit import migrations
from acontext_server.kit.engines import Postgres
from tests.engines import new_database
from tests.services import SERVICES

KEYS = """
select conrelid::regclass::text as relation, conname, contype, (
    select array_agg(attname order by place)
    from unnest(conkey) with ordinality as key(number, place)
    join pg_attribute on attrelid = conrelid and attnum = number
  )::text[]
from pg_constraint join pg_class on pg_class.oid = conrelid
where contype in ('p', 'f', 'u') and connamespace::regnamespace::text = any(%s)
"""
BY_WHICH_THE_PROJECT_IS_FOUND = {"session.project", "session.api_key"}
OF_THE_INSTALLATION = {"space.embedding_space"}


@pytest.fixture(scope="module")
def migrated(postgres: Postgres) -> Iterator[str]:
    with new_database(postgres) as name:
        url = postgres.url_of(name)
        for service in SERVICES:
            migrations.upgrade(url, service)
        yield url


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_make_the_tables_that_the_code_declares(migrated: str, service: str) -> None:
    migrations.check(migrated, service)


@pytest.mark.parametrize("service", SERVICES)
def test_migrating_again_changes_nothing(migrated: str, service: str) -> None:
    migrations.upgrade(migrated, service)
    migrations.check(migrated, service)


def test_every_key_begins_with_the_project(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        rows = connection.execute(KEYS, [list(SERVICES)]).fetchall()
    assert len(rows) > 20
    strangers = {
        (relation, name)
        for relation, name, _, columns in rows
        if columns[0] != "project_id"
        and relation not in BY_WHICH_THE_PROJECT_IS_FOUND | OF_THE_INSTALLATION
        and "alembic_version" not in relation
    }
    assert strangers == set()


def test_migrating_makes_way_for_whoever_uses_a_table(
    migrated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "TABLE_WAIT_SECONDS", 0.2)
    waits: list[float] = []
    with psycopg.connect(migrated) as reader:
        # Migrating creates the schema's version table anew, so it wants what the reader holds.
        reader.execute("lock table session.alembic_version in access exclusive mode")

        def leave(seconds: float) -> None:
            waits.append(seconds)
            reader.rollback()

        monkeypatch.setattr("time.sleep", leave)
        migrations.upgrade(migrated, "session")
    assert len(waits) == 1
