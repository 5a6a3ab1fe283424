"""Observing: a leased session, its messages in batches, one transaction for all they mean."""

import asyncio
import random
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from acontext_server.kit.database import Raw, Tx
from acontext_server.kit.errors import Conflict, Unavailable
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.agents.engine import Batch, Engine, EngineFailed, Observed
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.app.announcing import Announcing
from acontext_server.observer.app.budget import Budget, count_run
from acontext_server.observer.app.means import Means
from acontext_server.observer.domain import (
    PLANNING,
    ChangeRefused,
    Failure,
    Lease,
    LeaseLost,
    Link,
    MessageId,
    Report,
    Run,
    RunId,
    SessionId,
    SessionNotFound,
    Settled,
    Task,
    TaskId,
    TaskList,
    TaskMessage,
    TokenBudgetUsedUp,
    settle,
)
from acontext_server.observer.peers import Sessions, Stretch
from acontext_server.observer.store import changes, observations, reports, runs, tasks
from acontext_server.observer.store.reports import Untold

log = structlog.get_logger()

NOTHING = Observed(changes=(), state={}, rounds=0)
"""What it cost when the engine was not asked, or said nothing of it."""

Bury = Callable[[ProjectId, SessionId, Failure], Awaitable[None]]
"""Keeps a message that could not be observed in the stream of dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much at once, how long, how often."""

    batch: int = 32
    context: int = 3
    lease: timedelta = timedelta(seconds=10)
    """How long a session waits for others when its worker has died."""
    attempts: int = 6
    """Tries before a message counts as failed."""
    whole_attempts: int = 3
    """Tries with the whole batch; then each message alone, so that a bad one fails alone."""
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=5)
    patience: timedelta = timedelta(seconds=1)
    """How long to wait when session or the database does not answer; such tries are not counted."""
    noticeable: timedelta = timedelta(seconds=0.1)
    """How long a batch must take for session to be told that it is being observed."""
    pause: timedelta = timedelta(seconds=30)
    """How long to wait when the token budget is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """The next messages of a session, and how the session stands."""

    stretch: Stretch
    context: tuple[Message, ...]
    messages: tuple[Message, ...]
    unreadable: tuple[Failure, ...]
    cursor: int
    """Where the cursor is once they are observed."""
    is_repair: bool = False
    """They failed before and were asked for again."""

    @property
    def is_empty(self) -> bool:
        """Nothing is left to observe."""
        return not self.messages and not self.unreadable


class Observing:
    """Takes due sessions and observes them to the end of their logs."""

    def __init__(
        self,
        means: Means,
        sessions: Sessions,
        engine: Engine,
        budget: Budget,
        announcing: Announcing,
        bury: Bury,
        limits: Limits,
    ) -> None:
        self._means = means
        self._sessions = sessions
        self._engine = engine
        self._budget = budget
        self._announcing = announcing
        self._bury = bury
        self._limits = limits

    async def lease(self) -> Lease | None:
        """Take a session that is due, if there is one."""
        now = self._means.now()
        async with self._means.database.raw() as connection:
            return await observations.lease(
                connection, self._means.new_id(), at=now, until=now + self._limits.lease
            )

    async def observe(self, lease: Lease) -> None:
        """Observe a leased session to its end, and give the lease back whatever happens."""
        try:
            await self._observe_all(lease)
        except LeaseLost:
            log.warning("lease_lost", session_id=str(lease.session_id))
        except SessionNotFound:
            await self._forget(lease)
        except asyncio.CancelledError:
            await self._release(lease, after=timedelta())
            raise
        except TokenBudgetUsedUp as error:
            await self._pause(lease, error)
        except (Unavailable, Conflict) as error:
            log.warning("observing_waits", session_id=str(lease.session_id), error=repr(error))
            await self._release(lease, after=self._limits.patience)

    async def _observe_all(self, lease: Lease) -> None:
        if lease.has_leftovers:
            lease = await self._repair(lease, await self._tell_and_look(lease))
        while True:
            portion = await self._next(lease)
            if portion.is_empty or not await self._is_tracked(lease, portion.stretch):
                return await self._finish(lease)
            following = await self._attempt(lease, portion)
            if following is None:
                return None
            lease = following

    async def _attempt(self, lease: Lease, portion: Portion) -> Lease | None:
        """Observe a portion; when the engine fails, try again later or let it be.

        None once the lease is given back.
        """
        spent = NOTHING
        try:
            return await self._observe_portion(lease, portion)
        except EngineFailed as error:
            reason, spent = f"{type(error).__name__}: {error}", error.observed
        except ChangeRefused as error:
            reason = f"{type(error).__name__}: {error}"
        except (LeaseLost, SessionNotFound, TokenBudgetUsedUp, Unavailable, Conflict):
            raise
        except Exception as error:
            # A mistake of ours that one session's messages provoke must not stop the others.
            log.exception("observing_broke", session_id=str(lease.session_id))
            reason = type(error).__name__
        return await self._failed(lease, portion, reason, spent)

    async def _observe_portion(self, lease: Lease, portion: Portion) -> Lease | None:
        if portion.messages:
            await self._budget.check(lease.project_id)
        known = await self._known(lease)
        started = time.perf_counter()
        observed = await self._ask(lease, portion, known)
        seconds = time.perf_counter() - started
        following, untold = await self._commit(lease, portion, observed, seconds)
        # What comes meanwhile is told by nudges, or is found by the sweep.
        is_last = not portion.is_repair and portion.cursor >= portion.stretch.last_sequence
        await self._tell(following, untold, is_last=is_last)
        return None if is_last else following

    async def _known(self, lease: Lease) -> Sequence[Task]:
        async with self._means.database.raw() as connection:
            return await tasks.all_of_session(connection, lease.project_id, lease.session_id)

    async def _ask(self, lease: Lease, portion: Portion, known: Sequence[Task]) -> Observed:
        batch = Batch(
            tasks=tuple(task.state for task in known),
            state=lease.engine_state,
            context=portion.context,
            messages=portion.messages,
            wishes=await self._sessions.wishes(lease.project_id),
        )
        async with self.renewing(lease), self._showing(lease, portion):
            return await self._engine.observe(batch)

    @asynccontextmanager
    async def _showing(self, lease: Lease, portion: Portion) -> AsyncIterator[None]:
        """Show messages as running, if the engine takes long enough for that to be seen."""
        over = asyncio.Event()
        showing = asyncio.create_task(self._show_unless(over, lease, portion))
        try:
            yield
        finally:
            over.set()
            await showing  # what is told of the end must not overtake it

    async def _show_unless(self, over: asyncio.Event, lease: Lease, portion: Portion) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), self._limits.noticeable.total_seconds())
            return
        now, through = self._means.now(), portion.cursor
        running = Report(observed_through=lease.cursor, running_through=through)
        # Whatever is wrong is met again at the commit, or when the end is told of.
        with suppress(Unavailable, Conflict, LeaseLost, SessionNotFound):
            async with self._means.database.transaction() as tx:
                until = now + self._limits.lease
                await observations.renew(tx, lease, at=now, until=until, running_through=through)
            await self._sessions.record(lease.project_id, lease.session_id, running)

    async def _commit(
        self,
        lease: Lease,
        portion: Portion,
        observed: Observed,
        seconds: float,
        *,
        error: str = "",
    ) -> tuple[Lease, Untold]:
        """Apply all that was decided, with the cursor, or nothing if the lease was lost."""
        now, project_id, session_id = self._means.now(), lease.project_id, lease.session_id
        space_id = portion.stretch.space_id
        async with self._means.database.transaction() as tx:
            held = await observations.hold(tx, lease, at=now)
            before = await tasks.all_of_session(tx, project_id, session_id)
            after = TaskList((task.state for task in before), self._means.new_id)
            for change in observed.changes:
                after.apply(change)
            settled = settle(before, after, project_id=project_id, session_id=session_id, at=now)
            read = [
                TaskMessage(message_id=message.id, sequence=message.sequence)
                for message in portion.messages
            ]
            linked = await tasks.remember_messages(
                tx, project_id, session_id, read, settled.links, at=now
            )
            moved = await tasks.remove(tx, project_id, after.merged)
            await tasks.put(tx, settled.changed)
            earlier = await tasks.link(tx, project_id, session_id, _without(settled.links, read))
            report = _report(portion, [*moved, *earlier, *linked], hidden=_planning(after))
            await reports.fail(tx, project_id, session_id, portion.unreadable, at=now)
            await reports.heal(tx, project_id, session_id, report.healed)
            untold = Untold(self._means.new_id(), project_id, session_id, report)
            await reports.add(tx, untold, at=now)
            await observations.advance(
                tx,
                lease,
                until=now + self._limits.lease,
                cursor=portion.cursor,
                state=dict(observed.state),
                space_id=space_id,
                user_id=portion.stretch.user_id,
            )
            run = self._run(lease, observed, settled, seconds)
            await _keep(tx, replace(run, outcome="failed", error=error) if error else run)
            completed = settled.completed
            if held.space_id != space_id:
                completed = tuple(await tasks.completed_of_session(tx, project_id, session_id))
            await self._announcing.tell_completions(
                tx, space_id, changed=settled.changed, completed=completed
            )
            await self._announcing.tell_changes(
                tx, project_id, session_id, changed=settled.changed, removed=settled.removed
            )
        return replace(
            lease, cursor=portion.cursor, attempts=0, engine_state=observed.state
        ), untold

    async def tell(self, lease: Lease) -> None:
        """Tell session what it has not acknowledged yet, in the order in which it came about."""
        await self._tell_and_look(lease)

    async def _tell_and_look(self, lease: Lease) -> Sequence[MessageId]:
        """Tell what is left to be told, and give what is asked for again."""
        project_id, session_id = lease.project_id, lease.session_id
        limit = self._limits.batch
        async with self._means.database.raw() as connection:
            untold = await reports.untold(connection, project_id, session_id)
            wanted = await reports.to_retry(connection, project_id, session_id, limit=limit)
        for one in untold:
            await self._tell(lease, one)
        return wanted

    async def _tell(self, lease: Lease, untold: Untold, *, is_last: bool = False) -> None:
        """Tell session of a report; with the last one the lease is given back."""
        project_id, session_id, report = lease.project_id, lease.session_id, untold.report
        for failure in report.failures:
            await self._bury(project_id, session_id, failure)
        await self._sessions.record(project_id, session_id, report)
        async with self._means.database.raw() as tx, tx.transaction():
            if not (is_last and await self._give_back(tx, lease, untold)):
                await reports.acknowledge(tx, untold)
                await observations.note_told(
                    tx, project_id, session_id, through=report.observed_through
                )
        self._means.bell.ring(session_id)

    async def _repair(self, lease: Lease, wanted: Sequence[MessageId]) -> Lease:
        """Observe messages again that failed and were asked for; each leaves the list once."""
        while wanted:
            stretch = await self._sessions.reread(lease.project_id, lease.session_id, wanted)
            portion = Portion(
                stretch=stretch,
                context=(),
                messages=tuple(stretch.messages),
                unreadable=tuple(stretch.unreadable),
                cursor=lease.cursor,
                is_repair=True,
            )
            if portion.is_empty:
                return lease
            lease = await self._attempt(lease, portion) or lease
            wanted = await self._to_repair(lease)
        return lease

    async def _to_repair(self, lease: Lease) -> Sequence[MessageId]:
        async with self._means.database.raw() as connection:
            return await reports.to_retry(
                connection, lease.project_id, lease.session_id, limit=self._limits.batch
            )

    async def _next(self, lease: Lease) -> Portion:
        size = self._limits.batch if lease.attempts < self._limits.whole_attempts else 1
        stretch = await self._read(lease, size, context=self._limits.context)
        messages = tuple(one for one in stretch.messages if one.sequence > lease.cursor)
        unreadable = tuple(one for one in stretch.unreadable if one.sequence > lease.cursor)
        read = [*(one.sequence for one in messages), *(one.sequence for one in unreadable)]
        return Portion(
            stretch=stretch,
            context=tuple(one for one in stretch.messages if one.sequence <= lease.cursor),
            messages=messages,
            unreadable=unreadable,
            cursor=max(read, default=lease.cursor),
        )

    async def _read(self, lease: Lease, size: int, *, context: int) -> Stretch:
        """Read on with what came before, which is left out where it fills a whole answer."""
        before = max(lease.cursor - context, 0)
        stretch = await self._sessions.read(
            lease.project_id, lease.session_id, after=before, limit=size + lease.cursor - before
        )
        read: list[Message | Failure] = [*stretch.messages, *stretch.unreadable]
        if context and read and all(one.sequence <= lease.cursor for one in read):
            return await self._read(lease, size, context=0)
        return stretch

    async def _is_tracked(self, lease: Lease, stretch: Stretch) -> bool:
        return stretch.is_tracked and (await self._sessions.pace(lease.project_id)).is_on

    async def _finish(self, lease: Lease) -> None:
        async with self._means.database.raw() as tx, tx.transaction():
            await self._give_back(tx, lease)
        self._means.bell.ring(lease.session_id)

    async def _give_back(self, tx: Raw, lease: Lease, told: Untold | None = None) -> bool:
        now = self._means.now()
        given = await observations.finish(
            tx,
            lease,
            at=now,
            report=told.id if told else None,
            told_through=told.report.observed_through if told else 0,
        )
        # Who asked for failed messages again while we worked made the session due, which giving
        # back the lease has just undone.
        if await reports.to_retry(tx, lease.project_id, lease.session_id, limit=1):
            await observations.make_due(tx, lease.project_id, lease.session_id, at=now)
        return given

    async def _release(self, lease: Lease, *, after: timedelta) -> None:
        now = self._means.now()
        async with self._means.database.transaction() as tx:
            await observations.release(tx, lease, at=now, again=now + after)

    async def _forget(self, lease: Lease) -> None:
        async with self._means.database.transaction() as tx:
            await observations.forget_session(tx, lease.project_id, lease.session_id)
            await changes.forget_session(tx, lease.project_id, lease.session_id)

    async def _failed(
        self, lease: Lease, portion: Portion, reason: str, spent: Observed
    ) -> Lease | None:
        """Try later, or after the last try give the messages up and go on behind them."""
        if lease.attempts + 1 >= self._limits.attempts or portion.is_repair:
            return await self._give_up(lease, portion, reason, spent)
        now = self._means.now()
        wait = min(self._limits.first_wait * 2**lease.attempts, self._limits.longest_wait)
        again = now + wait * random.uniform(0.5, 1)
        async with self._means.database.transaction() as tx:
            await observations.note_failure(tx, lease, at=now, again=again, error=reason)
            await _keep(tx, self._failed_run(lease, reason, spent))
        waiting = Report(observed_through=lease.cursor)
        await self._sessions.record(lease.project_id, lease.session_id, waiting)
        return None

    async def _pause(self, lease: Lease, error: TokenBudgetUsedUp) -> None:
        """Look again later; a run says so once, however often that is."""
        log.warning("observing_pauses", session_id=str(lease.session_id), reason=error.reason)
        now, again = self._means.now(), self._limits.pause * random.uniform(0.9, 1)
        async with self._means.database.transaction() as tx:
            if await observations.pause(tx, lease, at=now, again=now + again, why=error.message):
                refused = self._failed_run(lease, error.message, NOTHING)
                await _keep(tx, replace(refused, outcome="refused"))
        self._means.bell.ring(lease.session_id)
        await self._tell_pause(lease.project_id)

    async def _tell_pause(self, project_id: ProjectId) -> None:
        """Let session know that what waits is not late, until a few looks later."""
        every, until = self._limits.pause, self._means.now() + 3 * self._limits.pause
        try:
            await self._sessions.tell_pause(project_id, until=until, every=every)
        except Unavailable as error:
            log.warning("pause_not_told", error=repr(error))

    async def _give_up(self, lease: Lease, portion: Portion, reason: str, spent: Observed) -> Lease:
        given_up = tuple(
            Failure(sequence=one.sequence, message_id=one.id, reason=reason)
            for one in portion.messages
        )
        hopeless = replace(portion, messages=(), unreadable=(*portion.unreadable, *given_up))
        nothing = replace(spent, changes=(), state=lease.engine_state)
        following, untold = await self._commit(lease, hopeless, nothing, 0, error=reason)
        await self._tell(following, untold)
        return following

    @asynccontextmanager
    async def renewing(self, lease: Lease) -> AsyncIterator[None]:
        """Keep the lease while the engine works, however long that takes.

        Should it be lost all the same, the commit is what refuses.
        """
        renewing = asyncio.create_task(self._renew(lease))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(self._limits.lease.total_seconds() / 3)
            now = self._means.now()
            try:
                async with self._means.database.transaction() as tx:
                    await observations.renew(tx, lease, at=now, until=now + self._limits.lease)
            except (Unavailable, Conflict) as error:
                log.warning("lease_not_renewed", error=repr(error))
            except LeaseLost:
                return

    def _run(self, lease: Lease, observed: Observed, settled: Settled, seconds: float) -> Run:
        summary = (
            f"{len(settled.changed)} tasks changed, {len(settled.completed)} of them completed, "
            f"{len(settled.links)} messages linked"
        )
        if observed.note:
            summary = f"{summary}; {observed.note}"
        return Run(
            id=RunId(self._means.new_id()),
            project_id=lease.project_id,
            session_id=lease.session_id,
            engine=observed.engine or self._engine.name,
            instruction_version=self._engine.version,
            rounds=observed.rounds,
            tool_calls=observed.tool_calls,
            input_tokens=observed.input_tokens,
            output_tokens=observed.output_tokens,
            cost=observed.cost,
            duration_seconds=seconds,
            outcome="success",
            error="",
            summary=summary,
            created_at=self._means.now(),
        )

    def _failed_run(self, lease: Lease, reason: str, spent: Observed) -> Run:
        nothing = Settled(changed=(), completed=(), removed=(), links={})
        run = self._run(lease, spent, nothing, 0)
        return replace(run, outcome="failed", error=reason, summary=spent.note)


async def _keep(tx: Tx, run: Run) -> None:
    await runs.add(tx, run)
    await count_run(tx, run)


def _without(
    links: Mapping[MessageId, TaskId], read: Iterable[TaskMessage]
) -> Mapping[MessageId, TaskId]:
    known = {one.message_id for one in read}
    return {message_id: task_id for message_id, task_id in links.items() if message_id not in known}


def _planning(after: TaskList) -> TaskId | None:
    return after.tasks[PLANNING].id if PLANNING in after.tasks else None


def _report(portion: Portion, links: Sequence[Link], *, hidden: TaskId | None) -> Report:
    """Say what session is told; the planning section is no task to it."""
    shown = tuple(replace(one, task_id=None) if one.task_id == hidden else one for one in links)
    healed = tuple(one.sequence for one in portion.messages) if portion.is_repair else ()
    return Report(
        observed_through=portion.cursor, failures=portion.unreadable, links=shown, healed=healed
    )
