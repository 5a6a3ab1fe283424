"""One thing at a time in a space, whoever dies meanwhile."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from acontext_server.kit import migrations
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, open_database
from acontext_server.kit.ids import uuid7
from acontext_server.space.domain.learning import Completion
from acontext_server.space.domain.spaces import Space
from acontext_server.space.store import learning, spaces
from acontext_server.space.store.learning import Leased
from tests.space.neighbours import ROOT

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    async with open_database(settings.database_url, pool=2) as opened:
        yield opened


async def make_space(database: Database) -> UUID:
    space = Space(uuid7(), ROOT, None, {}, NOON, NOON)
    async with database.transaction() as tx:
        await spaces.insert_space(tx, space)
    return space.id


async def complete(database: Database, space_id: UUID) -> Completion:
    completion = Completion(ROOT, space_id, uuid7(), uuid7(), 1)
    async with database.transaction() as tx:
        assert await learning.enqueue(tx, completion, NOON)
    return completion


async def lease(database: Database, at: datetime) -> Leased | None:
    async with database.transaction() as tx:
        return await learning.lease(tx, uuid7(), at, at + MINUTE)


async def holds(database: Database, leased: Leased) -> bool:
    async with database.transaction() as tx:
        return await learning.hold(tx, leased)


async def test_a_space_learns_one_task_at_a_time_and_spaces_in_parallel(
    database: Database,
) -> None:
    one, other = await make_space(database), await make_space(database)
    for space_id in (one, one, other):
        await complete(database, space_id)

    taken = [await lease(database, NOON) for _ in range(3)]

    assert {leased.completion.space_id for leased in taken if leased} == {one, other}
    assert taken[2] is None


async def test_who_lost_the_lease_may_not_write(database: Database) -> None:
    completion = await complete(database, await make_space(database))

    slow = await lease(database, NOON)
    quick = await lease(database, NOON + 2 * MINUTE)

    assert slow is not None
    assert quick is not None
    assert quick.completion == slow.completion == completion
    assert not await holds(database, slow)
    assert await holds(database, quick)


async def test_what_is_learned_is_not_leased_again(database: Database) -> None:
    completion = await complete(database, await make_space(database))
    leased = await lease(database, NOON)
    assert leased is not None

    async with database.transaction() as tx:
        await learning.finish(tx, completion, "skill")
        await learning.release(tx, leased)

    assert not await holds(database, leased)
    assert await lease(database, NOON + MINUTE) is None


async def test_what_is_decided_is_told_only_when_it_is_finished(database: Database) -> None:
    completion = await complete(database, await make_space(database))
    dying = await lease(database, NOON)
    assert dying is not None
    async with database.transaction() as tx:
        await learning.decide(tx, completion, "skill")

    async with database.transaction() as tx:
        assert await learning.outcome_of(tx, completion) is None
    following = await lease(database, NOON + 2 * MINUTE)
    assert (following and following.outcome) == "skill"

    async with database.transaction() as tx:
        await learning.finish(tx, completion, "skill")
        assert await learning.outcome_of(tx, completion) == "skill"


def test_tables_and_migrations_agree(settings: Settings) -> None:
    migrations.check(settings.database_url, "space")
