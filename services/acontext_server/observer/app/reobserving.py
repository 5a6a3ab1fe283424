"""Reobserving: a whole session read anew, and its new tasks put in place of the old."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from acontext_server.kit.database import Tx
from acontext_server.kit.errors import Conflict, Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.agents.engine import (
    Batch,
    Engine,
    EngineFailed,
    Observed,
    Wishes,
)
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.app.announcing import Announcing
from acontext_server.observer.app.budget import Budget, count_run
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.app.observing import Limits, Observing
from acontext_server.observer.domain import (
    PLANNING,
    ChangeRefused,
    Failure,
    Lease,
    LeaseLost,
    Link,
    Report,
    Run,
    RunId,
    SessionId,
    SessionNotTracked,
    Task,
    TaskList,
    TaskMessage,
)
from acontext_server.observer.generations import Generation, Succession, succeed
from acontext_server.observer.peers import Sessions, Stretch
from acontext_server.observer.store import generations, observations, reports, runs, tasks
from acontext_server.observer.store.reports import Untold

PATIENCE = 25.0
"""Seconds to wait for a worker that observes the session just now."""
LOOK_AGAIN = 0.3
"""Seconds between two looks at whether it has finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reobserved:
    """The tasks after and before."""

    tasks: Sequence[Task]
    former: Sequence[Task]
    generation: int


@dataclass(slots=True, kw_only=True)
class Reading:
    """A session as far as it was read anew."""

    tasks: TaskList
    standing: Stretch
    """Where the session stood at the first look: what is stored later is left to the workers."""
    wishes: Wishes
    state: dict[str, Any] = field(default_factory=dict)
    cursor: int = 0
    context: tuple[Message, ...] = ()
    messages: list[TaskMessage] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)
    cost: Observed = field(default_factory=lambda: Observed(changes=(), state={}, rounds=0))

    def take(self, observed: Observed) -> None:
        """Apply what an engine decided on a batch."""
        for change in observed.changes:
            self.tasks.apply(change)
        self.state = dict(observed.state)
        self.cost = replace(
            self.cost,
            rounds=self.cost.rounds + observed.rounds,
            tool_calls=self.cost.tool_calls + observed.tool_calls,
            input_tokens=self.cost.input_tokens + observed.input_tokens,
            output_tokens=self.cost.output_tokens + observed.output_tokens,
            cost=_sum(self.cost.cost, observed.cost),
            engine=observed.engine,
        )


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other + (one or 0.0)


class Reobserving:
    """Observes sessions anew with the engine and settings of today."""

    def __init__(
        self,
        means: Means,
        sessions: Sessions,
        engine: Engine,
        budget: Budget,
        announcing: Announcing,
        observing: Observing,
        limits: Limits,
    ) -> None:
        self._means = means
        self._sessions = sessions
        self._engine = engine
        self._budget = budget
        self._announcing = announcing
        self._observing = observing
        self._limits = limits

    async def reobserve_session(self, project_id: ProjectId, session_id: SessionId) -> Reobserved:
        """Put newly observed tasks in place of the old, in one transaction or not at all.

        Repeating it with the same engine changes nothing and gives the former generation again.
        """
        standing = await self._standing(project_id, session_id)
        async with self._holding(project_id, session_id) as lease:
            await self._observing.tell(lease)
            started = time.perf_counter()
            async with self._observing.renewing(lease):
                reading = await self._read(project_id, session_id, standing)
            seconds = time.perf_counter() - started
            answer = await self._commit(lease, reading, seconds)
            await self._observing.tell(lease)
        return answer

    async def compare(self, project_id: ProjectId, session_id: SessionId) -> Reobserved:
        """Tell which tasks would come, change and go, and leave all as it is."""
        standing = await self._standing(project_id, session_id)
        reading = await self._read(project_id, session_id, standing)
        async with self._means.database.transaction() as tx:
            old = await _generation(tx, project_id, session_id)
            succession = self._succeed(project_id, session_id, old, reading)
            number = await observations.generation(tx, project_id, session_id)
        touched = {task.id for task in (*succession.changed, *succession.removed)}
        return Reobserved(
            tasks=_visible(succession.changed),
            former=_visible([task for task in old.tasks if task.id in touched]),
            generation=number + succession.is_new,
        )

    async def _standing(self, project_id: ProjectId, session_id: SessionId) -> Stretch:
        standing = await self._sessions.where(project_id, session_id)
        if not standing.is_tracked or not (await self._sessions.pace(project_id)).is_on:
            raise SessionNotTracked(session_id)
        await self._budget.check(project_id)
        return standing

    @asynccontextmanager
    async def _holding(self, project_id: ProjectId, session_id: SessionId) -> AsyncIterator[Lease]:
        """Keep the workers away; Conflict if that was not possible for the whole time."""
        lease = await self._lease(project_id, session_id)
        try:
            yield lease
        except LeaseLost as error:
            raise Conflict from error
        finally:
            async with self._means.database.transaction() as tx:
                await observations.give_back(tx, lease, at=self._means.now())
            self._means.bell.ring(DUE)
            self._means.bell.ring(session_id)

    async def _lease(self, project_id: ProjectId, session_id: SessionId) -> Lease:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            now = self._means.now()
            with self._means.bell.listening(session_id) as ring:
                async with self._means.database.transaction() as tx:
                    lease = await observations.lease_one(
                        tx,
                        project_id,
                        session_id,
                        self._means.new_id(),
                        at=now,
                        until=now + self._limits.lease,
                    )
                if lease is not None:
                    return lease
                await ring(LOOK_AGAIN)
        raise Conflict

    async def _read(
        self, project_id: ProjectId, session_id: SessionId, standing: Stretch
    ) -> Reading:
        reading = Reading(
            tasks=TaskList(new_id=self._means.new_id),
            standing=standing,
            wishes=await self._sessions.wishes(project_id),
        )
        while reading.cursor < standing.last_sequence:
            size = min(self._limits.batch, standing.last_sequence - reading.cursor)
            stretch = await self._sessions.read(
                project_id, session_id, after=reading.cursor, limit=size
            )
            if not stretch.messages and not stretch.unreadable:
                break
            await self._observe(reading, stretch)
        return reading

    async def _observe(self, reading: Reading, stretch: Stretch) -> None:
        batch = Batch(
            tasks=tuple(reading.tasks.tasks.values()),
            state=reading.state,
            context=reading.context,
            messages=tuple(stretch.messages),
            wishes=reading.wishes,
        )
        try:
            reading.take(await self._engine.observe(batch))
        except (EngineFailed, ChangeRefused) as error:
            raise Unavailable(self._engine.name) from error
        reading.context = (*reading.context, *stretch.messages)[-self._limits.context :]
        reading.unreadable += stretch.unreadable
        reading.messages += [
            TaskMessage(message_id=one.id, sequence=one.sequence) for one in stretch.messages
        ]
        messages = (one.sequence for one in stretch.messages)
        reading.cursor = max(
            reading.cursor, *messages, *(one.sequence for one in stretch.unreadable)
        )
        # A long session must not keep all others waiting.
        await asyncio.sleep(0)

    def _succeed(
        self, project_id: ProjectId, session_id: SessionId, old: Generation, reading: Reading
    ) -> Succession:
        return succeed(
            old,
            reading.tasks,
            project_id=project_id,
            session_id=session_id,
            at=self._means.now(),
        )

    async def _commit(self, lease: Lease, reading: Reading, seconds: float) -> Reobserved:
        project_id, session_id = lease.project_id, lease.session_id
        async with self._means.database.transaction() as tx:
            held = await observations.hold(tx, lease, at=self._means.now())
            # An outcome may have been set from outside meanwhile, so the old are read only now.
            old = await _generation(tx, project_id, session_id)
            succession = self._succeed(project_id, session_id, old, reading)
            number = await observations.generation(tx, project_id, session_id)
            if succession.is_new:
                await self._keep_former(tx, lease, number, old)
                number += 1
            await self._write(tx, lease, reading, succession)
            space_id = reading.standing.space_id
            await observations.advance(
                tx,
                lease,
                until=self._means.now() + self._limits.lease,
                cursor=max(reading.cursor, held.cursor),
                state=reading.state,
                space_id=space_id,
                user_id=reading.standing.user_id,
            )
            run = self._run(lease, reading, succession, seconds)
            await runs.add(tx, run)
            await count_run(tx, run)
            completed = succession.completed
            if held.space_id != space_id:
                completed = await tasks.completed_of_session(tx, project_id, session_id)
            await self._announcing.tell_completions(
                tx, space_id, changed=succession.changed, completed=completed
            )
            former = await generations.read(tx, project_id, session_id, number - 1)
            await self._announcing.tell_changes(
                tx,
                project_id,
                session_id,
                changed=succession.changed,
                removed=_visible(succession.removed),
            )
        return Reobserved(
            tasks=_visible(succession.tasks), former=_visible(former), generation=number
        )

    async def _keep_former(self, tx: Tx, lease: Lease, number: int, old: Generation) -> None:
        project_id, session_id = lease.project_id, lease.session_id
        now = self._means.now()
        await generations.keep(tx, project_id, session_id, number, old.tasks, at=now)
        await observations.begin_generation(tx, project_id, session_id)

    async def _write(self, tx: Tx, lease: Lease, reading: Reading, succession: Succession) -> None:
        """Write tasks, links and failures, and keep what session is to be told of them."""
        now, key = self._means.now(), (lease.project_id, lease.session_id)
        removed = [task.id for task in succession.removed]
        await tasks.remember_messages(tx, *key, reading.messages, at=now)
        await tasks.replace(tx, *key, changed=succession.changed, removed=removed)
        freed = await tasks.unlink(tx, *key, succession.unlinked)
        linked = await tasks.link(tx, *key, succession.links)
        broken = {one.sequence for one in reading.unreadable}
        failed = await reports.failed_sequences(tx, *key)
        healed = tuple(one for one in failed if one <= reading.cursor and one not in broken)
        await reports.fail(tx, *key, reading.unreadable, at=now)
        await reports.heal(tx, *key, healed)
        hidden = {task.id for task in succession.tasks if task.order == PLANNING}
        shown = [one if one.task_id not in hidden else _nowhere(one) for one in linked]
        report = Report(
            observed_through=max(reading.cursor, lease.cursor),
            failures=tuple(reading.unreadable),
            links=(*freed, *shown),
            healed=healed,
        )
        await reports.add(tx, Untold(self._means.new_id(), *key, report), at=now)

    def _run(self, lease: Lease, reading: Reading, succession: Succession, seconds: float) -> Run:
        summary = (
            f"observed anew: {len(succession.changed)} tasks changed, "
            f"{len(succession.removed)} taken away, {len(succession.completed)} to be learned"
        )
        return Run(
            id=RunId(self._means.new_id()),
            project_id=lease.project_id,
            session_id=lease.session_id,
            engine=reading.cost.engine or self._engine.name,
            instruction_version=self._engine.version,
            rounds=reading.cost.rounds,
            tool_calls=reading.cost.tool_calls,
            input_tokens=reading.cost.input_tokens,
            output_tokens=reading.cost.output_tokens,
            cost=reading.cost.cost,
            duration_seconds=seconds,
            outcome="success",
            error="",
            summary=summary,
            created_at=self._means.now(),
        )


async def _generation(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Generation:
    return Generation(
        tasks=await tasks.all_of_session(tx, project_id, session_id),
        links=await tasks.links_of_session(tx, project_id, session_id),
    )


def _visible(found: Sequence[Task]) -> Sequence[Task]:
    return [task for task in found if task.order > PLANNING]


def _nowhere(link: Link) -> Link:
    """The planning section is no task to session."""
    return replace(link, task_id=None)
