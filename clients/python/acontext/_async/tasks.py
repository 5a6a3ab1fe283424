"""Tasks across sessions, and figures of them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from ..observer import v1 as pb
from ..types.task import Statistics, Task, TaskChange, TaskWithMessages
from .connection import AsyncResource


class AsyncTasksAPI(AsyncResource):
    """What agents work on, as it was observed; `sessions.get_tasks` lists those of a session."""

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
