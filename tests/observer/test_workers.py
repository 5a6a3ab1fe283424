"""Workers that lose their lease, die, or have an engine that fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg

from acontext.observer import v1 as pb
from acontext_server.kit.rpc import serve
from acontext_server.observer.agents.engine import (
    Batch,
    Engine,
    EngineFailed,
    Observed,
    RulesEngine,
)
from acontext_server.observer.app.observing import Limits
from acontext_server.observer.main import open_with
from tests.observer.conftest import README, Observer, dead_letters, eventually
from tests.services import Platform

QUICK = Limits(first_wait=timedelta(seconds=0.05), attempts=4, whole_attempts=2)


@asynccontextmanager
async def observing_with(
    platform: Platform, engine: Engine, limits: Limits
) -> AsyncIterator[Observer]:
    """Serve an observer with an engine of the test's own."""
    await platform.start("session")
    async with (
        open_with(platform.settings, engine, limits) as service,
        serve(service, platform.settings),
    ):
        yield Observer(platform)


class Paused(RulesEngine):
    """The rules, but the first batch waits until it is let go."""

    def __init__(self) -> None:
        self.began, self.go_on, self.calls = asyncio.Event(), asyncio.Event(), 0

    async def observe(self, batch: Batch) -> Observed:
        self.calls += 1
        if self.calls == 1:
            self.began.set()
            await self.go_on.wait()
        return await super().observe(batch)


class Choking(RulesEngine):
    """The rules, but they cannot deal with a batch that has a certain word in it."""

    async def observe(self, batch: Batch) -> Observed:
        if any("poison" in message.text for message in batch.messages):
            raise EngineFailed("the engine choked")
        return await super().observe(batch)


class Recovering(Paused):
    """Chokes on the word once, and pauses in the batch that comes next."""

    choked = False

    async def observe(self, batch: Batch) -> Observed:
        if not self.choked and any("poison" in message.text for message in batch.messages):
            self.choked = True
            raise EngineFailed("the engine choked")
        return await super().observe(batch)


class Slow(RulesEngine):
    """The rules, but slower than a lease lasts."""

    calls = 0

    async def observe(self, batch: Batch) -> Observed:
        self.calls += 1
        await asyncio.sleep(2.5)
        return await super().observe(batch)


async def test_who_lost_the_lease_writes_nothing_and_another_worker_goes_on(
    platform: Platform,
) -> None:
    engine = Paused()
    async with observing_with(platform, engine, Limits()) as observer:
        session_id = await observer.new_session()
        await observer.store(session_id, README)
        flushing = asyncio.create_task(observer.flush(session_id))
        await engine.began.wait()
        _run_out(platform)
        assert (await flushing).status == 200
        expected = await observer.described(session_id)
        engine.go_on.set()
        await asyncio.sleep(0.2)
        assert await observer.described(session_id) == expected
        assert [task.status for task in await observer.tasks_of(session_id)] == [
            "success",
            "pending",
            "pending",
        ]
        assert engine.calls == 2


async def test_a_message_that_an_engine_chokes_on_fails_alone(platform: Platform) -> None:
    poisoned = [*README[:4], {"role": "user", "content": "This is poison."}, *README[4:]]
    async with observing_with(platform, Choking(), QUICK) as observer:
        session_id = await observer.new_session()
        await observer.store(session_id, poisoned)
        flushed = await observer.flush(session_id)
        assert (flushed.status, flushed.remaining) == (500, 1)
        assert "the engine choked" in flushed.errmsg
        status = await observer.status(session_id)
        assert (status.observed, status.failed, status.pending) == (6, 1, 0)
        failures = [message.failure for message in await observer.messages(session_id)]
        assert failures.count("") == 6
        assert "the engine choked" in failures[4]
        assert len(await observer.tasks_of(session_id)) == 3
        (letter,) = await dead_letters(platform)
        assert letter.split()[1:3] == [session_id, "5"]


async def test_failed_messages_asked_for_while_a_worker_is_busy_are_not_forgotten(
    platform: Platform,
) -> None:
    engine = Recovering()
    async with observing_with(platform, engine, Limits(attempts=1)) as observer:
        session_id = await observer.new_session()
        await observer.store(session_id, [{"role": "user", "content": "Some poison, please."}])
        assert (await observer.flush(session_id)).remaining == 1
        await observer.store(session_id, README)
        flushing = asyncio.create_task(observer.flush(session_id))
        await engine.began.wait()
        again = pb.RetryFailedMessagesRequest(session_id=session_id)
        key = platform.key
        assert (await observer.tasks.RetryFailedMessages(again, metadata=key)).count == 1
        engine.go_on.set()
        assert (await flushing).status == 200

        async def is_healed() -> bool:
            return (await observer.status(session_id)).failed == 0

        await eventually(is_healed)


async def test_a_failing_engine_is_tried_again_and_flush_says_the_truth(
    platform: Platform,
) -> None:
    slow = Limits(first_wait=timedelta(seconds=60))
    async with observing_with(platform, Choking(), slow) as observer:
        session_id = await observer.new_session()
        await observer.store(session_id, [{"role": "user", "content": "Some poison, please."}])
        flushed = await observer.flush(session_id, seconds=2)
        assert (flushed.status, flushed.remaining) == (504, 1)
        assert "the engine choked" in flushed.errmsg

        async def is_pending_again() -> bool:
            messages = await observer.messages(session_id)
            return messages[0].session_task_process_status == "pending"

        await eventually(is_pending_again)


async def test_a_lease_is_renewed_while_the_engine_works(platform: Platform) -> None:
    engine = Slow()
    async with observing_with(platform, engine, Limits(lease=timedelta(seconds=1.5))) as observer:
        session_id = await observer.new_session()
        await observer.store(session_id, README)
        assert (await observer.flush(session_id)).status == 200
        assert engine.calls == 1


def _run_out(platform: Platform) -> None:
    """Let every lease run out, as it does when its worker has died."""
    with psycopg.connect(platform.settings.database_url) as connection:
        connection.execute("UPDATE observer.observation SET lease_until = now() - interval '1s'")


async def test_a_session_that_nobody_observes_is_not_even_noted(platform: Platform) -> None:
    await platform.start("session", "observer")
    observer = Observer(platform)
    untracked = await observer.new_session(disable_task_tracking=True)
    await observer.store(untracked, README)
    tracked = await observer.new_session()
    await observer.store(tracked, README)

    async def noted() -> list[str]:
        with psycopg.connect(platform.settings.database_url) as connection:
            rows = connection.execute("SELECT session_id FROM observer.observation").fetchall()
        return [str(row[0]) for row in rows]

    await eventually(noted)
    assert await noted() == [tracked]
