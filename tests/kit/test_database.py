"""The driver's own connections: what stands alone, what holds together, what outlives a server."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, Raw, array_of, fetch, open_database, patient
from acontext_server.kit.errors import Unavailable


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.database_url, pool=2) as database:
        async with database.raw() as connection:
            await connection.execute("create table kept (number int)")
        yield database


async def kept(database: Database) -> list[int]:
    async with database.raw() as connection:
        found = await connection.execute("select number from kept order by number")
        return [row[0] for row in await found.fetchall()]


async def write_and_break(connection: Raw) -> None:
    await connection.execute("insert into kept values (1)")
    async with connection.transaction():
        await connection.execute("insert into kept values (2)")
        await connection.execute("insert into kept values (3)")
        raise LookupError


async def test_a_raw_statement_commits_alone_and_a_transaction_as_a_whole(
    database: Database,
) -> None:
    async with database.raw() as connection:
        with pytest.raises(LookupError):
            await write_and_break(connection)
    assert await kept(database) == [1]


async def test_what_a_borrower_left_open_is_not_the_next_ones(database: Database) -> None:
    async with database.raw() as connection:
        await connection.execute("begin")
        await connection.execute("insert into kept values (1)")
    assert await kept(database) == []


async def test_who_finds_all_connections_borrowed_waits_for_one(database: Database) -> None:
    async with database.raw(), database.raw():
        third = asyncio.create_task(kept(database))
        assert not (await asyncio.wait([third], timeout=0.1))[0]
    assert await third == []


async def close_others(settings: Settings) -> None:
    async with await psycopg.AsyncConnection.connect(settings.database_url) as server:
        await server.execute(
            "select pg_terminate_backend(pid, 20000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


async def test_a_connection_that_the_server_closed_is_not_borrowed(
    database: Database, settings: Settings
) -> None:
    await kept(database)
    await close_others(settings)
    assert await kept(database) == []
    await close_others(settings)
    async with database.transaction() as tx:
        assert await tx.scalar(text("select count(*) from kept")) == 0


async def test_a_connection_that_breaks_while_it_is_used_says_unavailable(
    database: Database,
) -> None:
    with pytest.raises(Unavailable):
        async with database.raw() as connection:
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(
    settings: Settings,
) -> None:
    url = f"{settings.database_url}&options=-c%20statement_timeout%3D100ms"
    async with open_database(url, pool=1) as database:
        with pytest.raises(Unavailable):
            async with database.transaction() as tx:
                await tx.execute(text("select pg_sleep(60)"))
        async with database.transaction() as tx:
            await patient(tx)
            await tx.execute(text("select pg_sleep(0.3)"))


async def test_time_outs_are_set_unless_the_url_sets_its_own(database: Database) -> None:
    async with database.transaction() as tx:
        assert await tx.scalar(text("show statement_timeout")) == "1min"
        assert await tx.scalar(text("show idle_in_transaction_session_timeout")) == "5min"


async def test_arrays_arrive_as_they_were(database: Database) -> None:
    query = "select %(numbers)s::int[], %(ids)s::uuid[], %(words)s::text[], %(flags)s::bool[]"
    given: dict[str, list[object]] = {
        "numbers": [1, -2, None],
        "ids": [uuid4(), None, uuid4()],
        "words": ["user", "tool"],
        "flags": [True, False],
    }
    async with database.raw() as connection:
        values = {name: array_of(one) for name, one in given.items()}
        [row] = await fetch(connection, query, values)
        [empty] = await fetch(connection, query, dict.fromkeys(given, array_of([])))
    assert list(row) == [*given.values()]
    assert list(empty) == [[]] * 4
