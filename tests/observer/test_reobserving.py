"""Observing a session anew: with the same engine, with another, and with workers about."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import nats
import psycopg
import pytest
from grpc import StatusCode, aio

from acontext.observer import v1 as pb
from acontext_server.kit.rpc import reason_of, serve
from acontext_server.observer.agents.engine import (
    Batch,
    Engine,
    EngineFailed,
    Observed,
    RulesEngine,
)
from acontext_server.observer.app.observing import Limits
from acontext_server.observer.domain import AddProgress, Change, LinkMessage, OpenTask
from acontext_server.observer.main import open_with
from tests.observer.conftest import README, Observer, eventually
from tests.services import Platform

FORGOTTEN = 3
"""The order of the task that the other engine does not find."""


class Other(RulesEngine):
    """The rules of another day: no third task, another name for the second, no progress."""

    version = "rules-of-another-day"

    async def observe(self, batch: Batch) -> Observed:
        observed = await super().observe(batch)
        changes = [self._another(change) for change in observed.changes if _is_known(change)]
        return replace(observed, changes=tuple(changes))

    def _another(self, change: Change) -> Change:
        if isinstance(change, OpenTask) and change.order == 2:
            return replace(change, description="Something else altogether")
        return change


class Terse(RulesEngine):
    """The rules, without a word of progress."""

    async def observe(self, batch: Batch) -> Observed:
        observed = await super().observe(batch)
        kept = [change for change in observed.changes if not isinstance(change, AddProgress)]
        return replace(observed, changes=tuple(kept))


class Gated(Terse):
    """Another engine that waits to be let go."""

    def __init__(self) -> None:
        self.began, self.go_on = asyncio.Event(), asyncio.Event()

    async def observe(self, batch: Batch) -> Observed:
        self.began.set()
        await self.go_on.wait()
        return await super().observe(batch)


class NoPlan(RulesEngine):
    """One task for whatever is said."""

    async def observe(self, batch: Batch) -> Observed:
        known = {task.order for task in batch.tasks}
        opened = [] if known else [OpenTask(order=1, description="All of it")]
        links = [LinkMessage(order=1, message_id=message.id) for message in batch.messages]
        return Observed(changes=(*opened, *links), state={})


class Failing(RulesEngine):
    """An engine that is not there."""

    async def observe(self, batch: Batch) -> Observed:
        raise EngineFailed("nobody there")


def _is_known(change: Change) -> bool:
    return getattr(change, "order", 0) != FORGOTTEN


@asynccontextmanager
async def observing_with(platform: Platform, engine: Engine) -> AsyncIterator[Observer]:
    """Serve an observer with another engine on the database of the one before."""
    await platform.stop("observer")
    async with (
        open_with(platform.settings, engine, Limits()) as service,
        serve(service, platform.settings),
    ):
        yield Observer(platform)


@pytest.fixture
async def session_id(observer: Observer) -> str:
    """A session whose conversation is observed by the rules of today."""
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    return session_id


async def reobserve(
    observer: Observer, session_id: str, *, dry_run: bool = False
) -> pb.ReobserveSessionResponse:
    request = pb.ReobserveSessionRequest(session_id=session_id, dry_run=dry_run)
    return await observer.tasks.ReobserveSession(request, metadata=observer.platform.key)


async def refusal(observer: Observer, session_id: str) -> tuple[StatusCode, str | None]:
    with pytest.raises(aio.AioRpcError) as refused:
        await reobserve(observer, session_id)
    return refused.value.code(), reason_of(refused.value)


async def test_the_same_engine_finds_the_same_tasks_and_changes_nothing(
    observer: Observer, session_id: str
) -> None:
    before = await observer.tasks_of(session_id)
    described = await observer.described(session_id)
    for dry_run in (True, False):
        answer = await reobserve(observer, session_id, dry_run=dry_run)
        assert (list(answer.former), answer.generation) == ([], 1)
        assert list(answer.items) == ([] if dry_run else before)
    assert await observer.tasks_of(session_id) == before
    assert await observer.described(session_id) == described


async def test_a_dry_run_tells_the_difference_and_changes_nothing(
    observer: Observer, session_id: str
) -> None:
    before = await observer.tasks_of(session_id)
    async with observing_with(observer.platform, Other()) as other:
        answer = await reobserve(other, session_id, dry_run=True)
        assert [task.data.task_description for task in answer.items] == [
            "Something else altogether"
        ]
        assert [task.id for task in answer.former] == [before[1].id, before[2].id]
        assert answer.generation == 2
        assert await other.tasks_of(session_id) == before
        assert _generation(other.platform, session_id) == 1


async def test_another_engine_replaces_the_tasks_and_the_former_stay_readable(
    observer: Observer, session_id: str
) -> None:
    before = await observer.tasks_of(session_id)
    async with observing_with(observer.platform, Other()) as other:
        from_the_first = pb.WatchTasksRequest(session_id=session_id, cursor="")
        watch = other.tasks.WatchTasks(from_the_first, metadata=other.platform.key)
        assert [await _change(watch) for _ in before] == [(task.id, False) for task in before]
        answer = await reobserve(other, session_id)
        assert list(answer.former) == before
        assert answer.generation == 2
        first, second = await other.tasks_of(session_id)
        assert list(answer.items) == [first, second]
        assert (first, second.data.task_description) == (before[0], "Something else altogether")
        assert second.id != before[1].id
        seen = [await _change(watch) for _ in range(3)]
        assert seen == [(before[1].id, True), (before[2].id, True), (second.id, False)]
        watch.cancel()
        assert await reobserve(other, session_id) == answer


async def test_messages_follow_their_tasks_into_the_next_generation(
    observer: Observer, session_id: str
) -> None:
    async with observing_with(observer.platform, NoPlan()) as other:
        await reobserve(other, session_id)
        (only,) = await other.tasks_of(session_id)
        messages = await other.messages(session_id)
        assert [message.task_id for message in messages] == [only.id] * len(README)
        assert {message.session_task_process_status for message in messages} == {"success"}
    await observer.platform.start("observer")
    await reobserve(observer, session_id)
    first = (await observer.tasks_of(session_id))[0].id
    linked = [message.task_id for message in await observer.messages(session_id)]
    assert linked == ["", "", *[first] * 4]


async def test_an_outcome_from_outside_survives_with_its_reason(
    observer: Observer, session_id: str
) -> None:
    task = (await observer.tasks_of(session_id))[0]
    request = pb.SetTaskOutcomeRequest(task_id=task.id, status="failed", reason="It was made up.")
    await observer.tasks.SetTaskOutcome(request, metadata=observer.platform.key)
    async with observing_with(observer.platform, Terse()) as other:
        await reobserve(other, session_id)
        kept = (await other.tasks_of(session_id))[0]
        assert (kept.id, kept.status, kept.outcome_by) == (task.id, "failed", "set")
        assert list(kept.data.progresses) == ["It was made up."]


async def test_an_outcome_that_is_set_meanwhile_survives_too(
    observer: Observer, session_id: str
) -> None:
    task = (await observer.tasks_of(session_id))[0]
    engine = Gated()
    async with observing_with(observer.platform, engine) as other:
        reobserving = asyncio.create_task(reobserve(other, session_id))
        await engine.began.wait()
        request = pb.SetTaskOutcomeRequest(task_id=task.id, status="failed")
        await other.tasks.SetTaskOutcome(request, metadata=other.platform.key)
        engine.go_on.set()
        await reobserving
        kept = (await other.tasks_of(session_id))[0]
        assert (kept.status, kept.outcome_by) == ("failed", "set")
        assert list(kept.data.progresses) == []


async def test_a_success_is_announced_again_only_where_it_changed(
    observer: Observer, session_id: str
) -> None:
    platform, space_id = observer.platform, str(uuid4())
    with psycopg.connect(platform.settings.database_url) as connection:
        ids = (space_id, session_id)
        connection.execute("UPDATE session.session SET space_id = %s WHERE session_id = %s", ids)
        connection.execute(
            "UPDATE observer.observation SET space_id = %s WHERE session_id = %s", ids
        )
    await reobserve(observer, session_id)
    assert await _completions(platform) == []
    task = (await observer.tasks_of(session_id))[0]
    async with observing_with(platform, Terse()) as other:
        await reobserve(other, session_id)

        async def is_announced() -> bool:
            return await _completions(platform) == [(task.id, 2, space_id)]

        await eventually(is_announced)
        await reobserve(other, session_id)
        assert await _completions(platform) == [(task.id, 2, space_id)]


async def test_what_was_stored_meanwhile_is_observed_by_the_workers(
    observer: Observer, session_id: str
) -> None:
    engine = Gated()
    async with observing_with(observer.platform, engine) as other:
        reobserving = asyncio.create_task(reobserve(other, session_id))
        await engine.began.wait()
        more = [{"role": "user", "content": "Great, thanks. Now init the Next.js project."}]
        await other.store(session_id, more)
        flushing = asyncio.create_task(other.flush(session_id))
        await asyncio.sleep(0.5)
        engine.go_on.set()
        await reobserving
        assert (await flushing).status == 200
        assert (await other.status(session_id)).observed == len(README) + 1
        assert len(await other.tasks_of(session_id)) == 3


async def test_who_lost_the_session_meanwhile_writes_nothing(
    observer: Observer, session_id: str
) -> None:
    before = await observer.tasks_of(session_id)
    engine = Gated()
    async with observing_with(observer.platform, engine) as other:
        refused = asyncio.create_task(refusal(other, session_id))
        await engine.began.wait()
        with psycopg.connect(other.platform.settings.database_url) as connection:
            connection.execute("UPDATE observer.observation SET lease_owner = gen_random_uuid()")
        engine.go_on.set()
        assert await refused == (StatusCode.ABORTED, "CONFLICT")
        assert await other.tasks_of(session_id) == before


async def test_an_engine_that_fails_changes_nothing(observer: Observer, session_id: str) -> None:
    before = await observer.tasks_of(session_id)
    async with observing_with(observer.platform, Failing()) as other:
        assert await refusal(other, session_id) == (StatusCode.UNAVAILABLE, "UNAVAILABLE")
        assert await other.tasks_of(session_id) == before
        assert _generation(other.platform, session_id) == 1


async def test_failed_messages_that_can_be_read_now_are_healed(observer: Observer) -> None:
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    url = observer.platform.settings.database_url
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT content FROM session.message WHERE sequence = 5"
        ).fetchone()
        connection.execute("UPDATE session.message SET content = '\\xff' WHERE sequence = 5")
    assert row is not None
    assert (await observer.flush(session_id)).status == 500
    await reobserve(observer, session_id)
    assert (await observer.status(session_id)).failed == 1
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE session.message SET content = %s WHERE sequence = 5", row)
    await reobserve(observer, session_id)
    status = await observer.status(session_id)
    assert (status.observed, status.failed) == (len(README), 0)
    statuses = {one.session_task_process_status for one in await observer.messages(session_id)}
    assert statuses == {"success"}


async def test_a_session_that_is_not_tracked_is_not_observed_anew(observer: Observer) -> None:
    session_id = await observer.new_session(disable_task_tracking=True)
    expected = (StatusCode.FAILED_PRECONDITION, "SESSION_NOT_TRACKED")
    assert await refusal(observer, session_id) == expected
    assert await refusal(observer, str(uuid4())) == (StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")


async def test_a_session_that_nobody_observed_yet_is_observed_to_its_end(
    observer: Observer,
) -> None:
    session_id = await observer.new_session()
    assert list((await reobserve(observer, session_id)).items) == []
    await observer.store(session_id, README)
    await reobserve(observer, session_id)
    assert len(await observer.tasks_of(session_id)) == 3
    assert (await observer.status(session_id)).observed == len(README)


def _generation(platform: Platform, session_id: str) -> int:
    with psycopg.connect(platform.settings.database_url) as connection:
        query = "SELECT generation FROM observer.observation WHERE session_id = %s"
        row = connection.execute(query, [session_id]).fetchone()
    assert row
    return int(row[0])


async def _change(
    watch: aio.UnaryStreamCall[pb.WatchTasksRequest, pb.WatchTasksResponse],
) -> tuple[str, bool]:
    response = await watch.read()
    assert isinstance(response, pb.WatchTasksResponse)
    return response.change.task.id, response.change.removed


async def _completions(platform: Platform) -> list[tuple[str, int, str]]:
    """List all completions that were ever announced."""
    client = await nats.connect(platform.settings.nats_url)
    prefix = platform.settings.nats_prefix
    try:
        stream = client.jetstream()
        subscription = await stream.subscribe(
            f"{prefix}.observer.v1.task_completed.>", ordered_consumer=True
        )
        found: list[tuple[str, int, str]] = []
        while True:
            message = await subscription.next_msg(timeout=0.5)
            told = pb.ObserverEvent.FromString(message.data).task_completed
            found.append((told.task_id, told.task_version, told.space_id))
    except nats.errors.TimeoutError:
        return found
    finally:
        await client.close()
