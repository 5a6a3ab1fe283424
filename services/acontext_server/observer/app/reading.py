"""What is known of tasks and of observing: lists, counts, watching, outcomes from outside."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from acontext_server.kit.days import last_days
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app.announcing import Announcing, changes_of
from acontext_server.observer.app.budget import Budget
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.domain import (
    Day,
    Learning,
    Run,
    RunId,
    RunNotFound,
    SessionId,
    Task,
    TaskChange,
    TaskContext,
    TaskId,
    TaskMessage,
    TaskNotFound,
    TaskStatus,
    became,
    with_outcome,
)
from acontext_server.observer.peers import Sessions
from acontext_server.observer.store import changes, observations, reports, runs, tasks
from acontext_server.observer.store.tasks import TaskFilter

EARLIER = 5
"""Tasks before one that learning reads for their conditions."""
AFTERWARDS = 3
"""Messages behind a task that show how its result was taken."""
LOOK_AGAIN = 0.5
"""Seconds between two looks at what another process may have changed."""
CHANGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A session's messages, by how far they are observed."""

    observed: int
    in_process: int
    pending: int
    failed: int
    at: datetime
    paused: str
    """Why what is pending waits for more than its turn; empty where it does not."""


class Reading:
    """Answers questions about tasks, and takes outcomes from outside."""

    def __init__(
        self, means: Means, sessions: Sessions, announcing: Announcing, budget: Budget
    ) -> None:
        self._means = means
        self._sessions = sessions
        self._announcing = announcing
        self._budget = budget

    async def list_tasks(
        self,
        project_id: ProjectId,
        session_id: SessionId,
        *,
        after: int | None,
        descending: bool,
        limit: int,
    ) -> Sequence[Task]:
        """List tasks by order, one more than the limit if there are more."""
        await self._sessions.where(project_id, session_id)
        async with self._means.database.transaction() as tx:
            return await tasks.page(
                tx, project_id, session_id, after=after, descending=descending, limit=limit + 1
            )

    async def list_project_tasks(
        self,
        project_id: ProjectId,
        which: TaskFilter,
        *,
        after: tuple[datetime, UUID] | None,
        descending: bool,
        limit: int,
    ) -> Sequence[Task]:
        """List tasks of all sessions by time, one more than the limit if there are more."""
        async with self._means.database.transaction() as tx:
            return await tasks.page_of_project(
                tx, project_id, which, after=after, descending=descending, limit=limit
            )

    async def get_task(
        self, project_id: ProjectId, task_id: TaskId
    ) -> tuple[Task, Sequence[TaskMessage]]:
        """Give a task with the messages it came from."""
        async with self._means.database.transaction() as tx:
            task = await tasks.find(tx, project_id, task_id)
            if task is None:
                raise TaskNotFound(task_id)
            return task, await tasks.messages_of(tx, project_id, task_id)

    async def get_task_context(self, project_id: ProjectId, task_id: TaskId) -> TaskContext:
        """Give what learning needs of a task."""
        task, messages = await self.get_task(project_id, task_id)
        async with self._means.database.transaction() as tx:
            last = max((message.sequence for message in messages), default=0)
            return TaskContext(
                task=task,
                messages=messages,
                earlier=await tasks.earlier(tx, task, limit=EARLIER),
                after=await tasks.messages_after(
                    tx, project_id, task.session_id, sequence=last, limit=AFTERWARDS
                ),
                space_id=await observations.space_of(tx, project_id, task.session_id),
            )

    async def begin_watch(
        self, project_id: ProjectId, session_id: SessionId | None, *, position: int | None
    ) -> int:
        """Say where a watch begins: at a position, else behind the last change."""
        if session_id is not None:
            await self._sessions.where(project_id, session_id)
        if position is not None:
            return position
        async with self._means.database.transaction() as tx:
            return await changes.last(tx, project_id)

    async def watch_tasks(
        self, project_id: ProjectId, session_id: SessionId | None, *, position: int
    ) -> AsyncIterator[TaskChange]:
        """Give every change beyond a position, and each new one as it happens."""
        while True:
            with self._means.bell.listening(changes_of(project_id)) as ring:
                async with self._means.database.transaction() as tx:
                    found = await changes.after(
                        tx, project_id, session_id, position=position, limit=CHANGES
                    )
                for change in found:
                    position = change.position
                    yield change
                if not found:
                    await ring(LOOK_AGAIN)

    async def set_task_outcome(
        self, project_id: ProjectId, task_id: TaskId, status: TaskStatus, reason: str
    ) -> Task:
        """Set how a task ended; it wins over what is observed later. Repeating changes nothing."""
        async with self._means.database.transaction() as tx:
            found = await tasks.find(tx, project_id, task_id)
            if found is None:
                raise TaskNotFound(task_id)
            space_id = await observations.lock(tx, project_id, found.session_id)
            before = await tasks.find(tx, project_id, task_id)
            if before is None:
                raise TaskNotFound(task_id)
            state = with_outcome(before.state, status, reason)
            if state == before.state:
                return before
            task = became(before, state, at=self._means.now())
            await tasks.put(tx, [task])
            completed = [task] if task.completions > before.completions else []
            await self._announcing.tell_completions(
                tx, space_id, changed=[task], completed=completed
            )
            await self._announcing.tell_changes(tx, project_id, task.session_id, changed=[task])
            return task

    async def get_observing_status(self, project_id: ProjectId, session_id: SessionId) -> Counted:
        """Count a session's messages by how far they are observed."""
        end = (await self._sessions.where(project_id, session_id)).last_sequence
        async with self._means.database.transaction() as tx:
            standing = await observations.standing(tx, project_id, session_id)
            failed, _ = await reports.count_failed(
                tx, project_id, session_id, through=standing.told_through
            )
        told = min(standing.told_through, end)
        running = max(min(standing.running_through, end) - told, 0)
        pending = end - told - running
        return Counted(
            observed=told - failed,
            in_process=running,
            pending=pending,
            failed=failed,
            at=self._means.now(),
            paused=await self._budget.why_paused(project_id) if pending else "",
        )

    async def get_learning_status(self, project_id: ProjectId, session_id: SessionId) -> Learning:
        """Count successful tasks by what the space has made of them; none without a space."""
        if (await self._sessions.where(project_id, session_id)).space_id is None:
            return Learning()
        async with self._means.database.transaction() as tx:
            counted = await tasks.count_learning(tx, project_id, session_id)
        if not counted.waiting:
            return counted
        return replace(counted, paused=await self._budget.why_paused(project_id))

    async def retry_failed_messages(self, project_id: ProjectId, session_id: SessionId) -> int:
        """Let failed messages be observed again, and say how many."""
        await self._sessions.where(project_id, session_id)
        async with self._means.database.transaction() as tx:
            asked = await reports.retry(tx, project_id, session_id)
            if asked:
                now = self._means.now()
                await observations.make_due(tx, project_id, session_id, at=now)
        self._means.bell.ring(DUE)
        return len(asked)

    async def get_statistics(
        self, project_id: ProjectId, *, days: int, time_zone: str
    ) -> tuple[Sequence[Day], float]:
        """Count the last days of a project, and say how long its oldest message has waited."""
        now = self._means.now()
        span = last_days(days, time_zone=time_zone, now=now)
        async with self._means.database.transaction() as tx:
            counted = await runs.tasks_per_day(
                tx, project_id, time_zone=time_zone, since=span.since
            )
            observed = await runs.messages_per_day(
                tx, project_id, time_zone=time_zone, since=span.since
            )
            oldest = await observations.oldest_waiting(tx, project_id)
        found = [_day(date, counted, observed.get(date, (0, 0))) for date in span.dates]
        return found, max((now - oldest).total_seconds(), 0.0) if oldest else 0.0

    async def get_run(self, project_id: ProjectId, run_id: RunId) -> Run:
        """Give a run."""
        async with self._means.database.transaction() as tx:
            run = await runs.find(tx, project_id, run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def list_runs(
        self,
        project_id: ProjectId,
        *,
        session_id: SessionId | None,
        outcome: str,
        after: tuple[datetime, UUID] | None,
        descending: bool,
        limit: int,
    ) -> Sequence[Run]:
        """List runs by time, one more than the limit if there are more."""
        async with self._means.database.transaction() as tx:
            return await runs.page(
                tx,
                project_id,
                session_id=session_id,
                outcome=outcome,
                after=after,
                descending=descending,
                limit=limit,
            )


def _day(date: str, counted: Sequence[tuple[str, str, int]], observed: tuple[int, int]) -> Day:
    by_status = {status: number for day, status, number in counted if day == date}
    return Day(date=date, tasks=by_status, sessions=observed[0], messages=observed[1])
