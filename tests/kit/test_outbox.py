"""Facts leave after their transaction, at least once, and only if it committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import MetaData, select, text

from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, open_database
from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.kit.outbox import Announcement, Outbox, outbox_table

METADATA = MetaData(schema="box")
TABLE = outbox_table(METADATA)
PROJECT = ProjectId(uuid7())


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.database_url, pool=4) as database:
        async with database.transaction() as tx:
            await tx.execute(text("create schema box"))
            await tx.run_sync(METADATA.create_all)
        yield database


@pytest.fixture
async def bus(settings: Settings) -> AsyncIterator[Bus]:
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        yield bus


def announcement(payload: bytes) -> Announcement:
    return Announcement(
        id=uuid7(), project_id=PROJECT, event="happened", entity=uuid7(), payload=payload
    )


async def received(bus: Bus, count: int, outbox: Outbox) -> list[bytes]:
    got: list[bytes] = []
    enough = asyncio.Event()

    async def take(payload: bytes) -> None:
        got.append(payload)
        if len(got) >= count:
            enough.set()

    running = [
        asyncio.create_task(outbox.run()),
        asyncio.create_task(bus.listen("box", "reader", ["happened"], take)),
    ]
    async with asyncio.timeout(20):
        await enough.wait()
    for task in running:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return got


async def test_what_was_committed_arrives_in_order_and_its_rows_go(
    database: Database, bus: Bus
) -> None:
    outbox = Outbox("box", TABLE, database, bus)
    for number in range(5):
        async with database.transaction() as tx:
            await outbox.add(tx, [announcement(b"%d" % number)])
    assert await received(bus, 5, outbox) == [b"0", b"1", b"2", b"3", b"4"]
    await outbox.relay()  # the last one may have been ended between publishing and commit
    async with database.transaction() as tx:
        assert (await tx.execute(select(TABLE))).all() == []


async def test_what_was_rolled_back_is_never_announced(database: Database, bus: Bus) -> None:
    outbox = Outbox("box", TABLE, database, bus)
    with suppress(ZeroDivisionError):
        async with database.transaction() as tx:
            await outbox.add(tx, [announcement(b"never")])
            raise ZeroDivisionError
    async with database.transaction() as tx:
        await outbox.add(tx, [announcement(b"always")])
    assert await received(bus, 1, outbox) == [b"always"]


async def test_a_row_that_was_published_but_not_deleted_arrives_once(
    database: Database, bus: Bus
) -> None:
    outbox = Outbox("box", TABLE, database, bus)
    fact = announcement(b"fact")
    for _ in range(2):
        async with database.transaction() as tx:
            await outbox.add(tx, [fact])
        await bus.ensure_stream("box")
        await outbox.relay()
    async with database.transaction() as tx:
        await outbox.add(tx, [announcement(b"next")])
    assert await received(bus, 2, outbox) == [b"fact", b"next"]


async def test_an_event_whose_handler_fails_comes_again(database: Database, bus: Bus) -> None:
    outbox = Outbox("box", TABLE, database, bus)
    async with database.transaction() as tx:
        await outbox.add(tx, [announcement(b"stubborn")])
    tries: list[bytes] = []
    done = asyncio.Event()

    async def take(payload: bytes) -> None:
        tries.append(payload)
        if len(tries) < 2:
            raise RuntimeError("not yet")
        done.set()

    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(outbox.run()),
            group.create_task(bus.listen("box", "reader", ["happened"], take)),
        ]
        async with asyncio.timeout(20):
            await done.wait()
        for task in running:
            task.cancel()
    assert tries == [b"stubborn", b"stubborn"]
