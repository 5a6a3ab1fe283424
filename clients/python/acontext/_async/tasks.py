"""Tasks across sessions, and figures of them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from datetime import datetime

from .._model import moment_of
from ..observer import v1 as pb
from ..types.common import Page, page_of
from ..types.task import Statistics, Task, TaskChange, TaskWithMessages
from .connection import AsyncResource, every_page


class AsyncTasksAPI(AsyncResource):
    """What agents work on, as it was observed; `sessions.get_tasks` lists those of a session."""

    async def list(
        self,
        *,
        status: str | None = None,
        seen_after: datetime | None = None,
        seen_before: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Task]:
        """Return a page of 1 to 200 tasks (20) of all sessions, by when they were first seen.

        `status` is `pending`, `running`, `success` or `failed`; `seen_after` and `seen_before` ask
        for those first seen from the one time on, and before the other. A datetime without a zone
        is local time. Planning sections are left out. InvalidRequest names what is out of its
        limits.
        """
        request = pb.ListProjectTasksRequest(
            status=status,
            seen_after=moment_of(seen_after),
            seen_before=moment_of(seen_before),
            limit=limit,
            cursor=cursor,
            time_desc=bool(time_desc),
        )
        answer = await self._connection.call(self._stubs.tasks.ListProjectTasks, request)
        return page_of(Task, answer)

    def list_all(
        self,
        *,
        status: str | None = None,
        seen_after: datetime | None = None,
        seen_before: datetime | None = None,
        time_desc: bool | None = None,
    ) -> AsyncIterator[Task]:
        """Go through every task of the project, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Task]]:
            return self.list(
                status=status,
                seen_after=seen_after,
                seen_before=seen_before,
                limit=200,
                cursor=cursor,
                time_desc=time_desc,
            )

        return every_page(ask)

    async def get(self, task_id: str) -> TaskWithMessages:
        """Return a task with the messages it came from. TaskNotFound if there is none."""
        request = pb.GetTaskRequest(task_id=task_id)
        answer = await self._connection.call(self._stubs.tasks.GetTask, request)
        return TaskWithMessages.of(answer)

    async def watch(
        self, *, session_id: str | None = None, cursor: str | None = None
    ) -> AsyncGenerator[TaskChange, None]:
        """Receive every change of a session's or the project's tasks, in order, as it happens.

        It begins behind a cursor; the empty one means with the very first change, None with the
        next. It goes on where it was when the line or the services break, and ends when the client
        is closed.
        """
        request = pb.WatchTasksRequest(session_id=session_id, cursor=cursor, with_start=True)
        watch = self._connection.follow(lambda: self._stubs.tasks.WatchTasks, request)
        async with aclosing(watch):
            async for answer in watch:
                if not answer.HasField("change"):
                    request.cursor = answer.start
                    continue
                request.cursor = answer.change.cursor
                yield TaskChange.of(answer.change)

    async def set_outcome(self, task_id: str, *, status: str, reason: str | None = None) -> Task:
        """Say how a task ended, `success` or `failed`; it wins over what is observed later.

        The reason, up to 4000 characters, is added to the task's progress.
        """
        request = pb.SetTaskOutcomeRequest(task_id=task_id, status=status, reason=reason)
        answer = await self._connection.call(self._stubs.tasks.SetTaskOutcome, request)
        return Task.of(answer.task)

    async def get_statistics(
        self, *, days: int | None = None, time_zone: str | None = None
    ) -> Statistics:
        """Count the project's work per day: the last 7, up to 366, in an IANA time zone (UTC)."""
        request = pb.GetStatisticsRequest(days=days, time_zone=time_zone)
        answer = await self._connection.call(self._stubs.tasks.GetStatistics, request)
        return Statistics.of(answer)
