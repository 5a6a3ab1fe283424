"""A retried request gets the first answer."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import MetaData, text

from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, open_database
from acontext_server.kit.errors import RequestIdReused
from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.kit.requests import claim, digest_of, request_table

METADATA = MetaData(schema="ask")
TABLE = request_table(METADATA)
PROJECT = ProjectId(uuid7())


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.database_url, pool=20) as database:
        async with database.transaction() as tx:
            await tx.execute(text("create schema ask"))
            await tx.run_sync(METADATA.create_all)
        yield database


async def answer(database: Database, request_id: UUID, content: bytes) -> UUID:
    mine = uuid7()
    async with database.transaction() as tx:
        first = await claim(
            tx,
            TABLE,
            project_id=PROJECT,
            method="CreateThing",
            request_id=request_id,
            digest=digest_of(content),
            answer_id=mine,
        )
        await asyncio.sleep(0.02)
    return first or mine


async def test_sixteen_callers_at_the_same_moment_get_one_answer(database: Database) -> None:
    request_id = uuid7()
    answers = await asyncio.gather(*[answer(database, request_id, b"same") for _ in range(16)])
    assert len(set(answers)) == 1
    assert await answer(database, request_id, b"same") == answers[0]


async def test_an_id_that_came_with_another_request_is_refused(database: Database) -> None:
    request_id = uuid7()
    await answer(database, request_id, b"one")
    with pytest.raises(RequestIdReused):
        await answer(database, request_id, b"two")
