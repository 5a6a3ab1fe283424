"""The gRPC servicers: protobuf in, verbs, protobuf out."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

from grpc import aio

from acontext.observer import v1 as pb
from acontext_server.kit.auth import caller
from acontext_server.kit.days import DEFAULT_DAYS
from acontext_server.kit.errors import InvalidCursor
from acontext_server.kit.moments import read_moment
from acontext_server.kit.paging import Cursors
from acontext_server.observer.app.budget import Budget
from acontext_server.observer.app.flushing import PATIENCE, Flushing
from acontext_server.observer.app.reading import Reading
from acontext_server.observer.app.reobserving import Reobserving
from acontext_server.observer.domain import (
    PLANNING,
    Day,
    Run,
    RunId,
    SessionId,
    Task,
    TaskChange,
    TaskId,
    TaskMessage,
    TaskStatus,
    TokenUse,
)
from acontext_server.observer.store.tasks import TaskFilter

Context = aio.ServicerContext[Any, Any]

DEFAULT_LIMIT = 20
MARGIN = 1.0
"""Seconds that an answer needs to reach a caller who waits for no longer."""


class TaskServicer(pb.TaskServiceServicer):
    """Serves tasks and observing."""

    def __init__(
        self, reading: Reading, flushing: Flushing, reobserving: Reobserving, cursors: Cursors
    ) -> None:
        self._reading = reading
        self._flushing = flushing
        self._reobserving = reobserving
        self._cursors = cursors

    async def ListTasks(
        self, request: pb.ListTasksRequest, context: Context
    ) -> pb.ListTasksResponse:
        project_id, limit = caller().project_id, request.limit or DEFAULT_LIMIT
        scope = f"tasks:{project_id}:{request.session_id}:{request.time_desc}"
        found = await self._reading.list_tasks(
            project_id,
            _session(request.session_id),
            after=self._position(scope, request.cursor),
            descending=request.time_desc,
            limit=limit,
        )
        response = pb.ListTasksResponse(
            items=[to_proto(task) for task in found[:limit]], has_more=len(found) > limit
        )
        if response.has_more:
            response.next_cursor = self._cursors.encode(scope, found[limit - 1].order)
        return response

    async def ListProjectTasks(
        self, request: pb.ListProjectTasksRequest, context: Context
    ) -> pb.ListProjectTasksResponse:
        project_id, limit = caller().project_id, request.limit or DEFAULT_LIMIT
        which = TaskFilter(
            status=request.status,
            seen_after=read_moment(request, "seen_after"),
            seen_before=read_moment(request, "seen_before"),
        )
        scope = f"project-tasks:{project_id}:{which}:{request.time_desc}"
        found = await self._reading.list_project_tasks(
            project_id,
            which,
            after=self._cursors.decode_time(scope, request.cursor),
            descending=request.time_desc,
            limit=limit,
        )
        page = self._cursors.page(scope, found, limit, lambda task: (task.created_at, task.id))
        return pb.ListProjectTasksResponse(
            items=[to_proto(task) for task in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    async def GetTask(self, request: pb.GetTaskRequest, context: Context) -> pb.GetTaskResponse:
        task, messages = await self._reading.get_task(caller().project_id, _task(request.task_id))
        return pb.GetTaskResponse(
            task=to_proto(task), messages=[message_to_proto(one) for one in messages]
        )

    async def WatchTasks(
        self, request: pb.WatchTasksRequest, context: Context
    ) -> AsyncIterator[pb.WatchTasksResponse]:
        project_id = caller().project_id
        session_id = _session(request.session_id) if request.session_id else None
        scope = f"watch:{project_id}"
        given = self._position(scope, request.cursor) or 0
        position = await self._reading.begin_watch(
            project_id, session_id, position=given if request.HasField("cursor") else None
        )
        if request.with_start:
            yield pb.WatchTasksResponse(start=self._cursors.encode(scope, position))
        async for change in self._reading.watch_tasks(project_id, session_id, position=position):
            cursor = self._cursors.encode(scope, change.position)
            yield pb.WatchTasksResponse(change=change_to_proto(change, cursor))

    async def SetTaskOutcome(
        self, request: pb.SetTaskOutcomeRequest, context: Context
    ) -> pb.SetTaskOutcomeResponse:
        task = await self._reading.set_task_outcome(
            caller().project_id,
            _task(request.task_id),
            TaskStatus(request.status),
            request.reason,
        )
        return pb.SetTaskOutcomeResponse(task=to_proto(task))

    async def FlushSession(
        self, request: pb.FlushSessionRequest, context: Context
    ) -> pb.FlushSessionResponse:
        left = context.time_remaining()
        answer = await self._flushing.flush_session(
            caller().project_id,
            _session(request.session_id),
            seconds=PATIENCE if left is None else left - MARGIN,
        )
        return pb.FlushSessionResponse(
            status=answer.status, errmsg=answer.errmsg, remaining=answer.remaining or None
        )

    async def GetObservingStatus(
        self, request: pb.GetObservingStatusRequest, context: Context
    ) -> pb.GetObservingStatusResponse:
        counted = await self._reading.get_observing_status(
            caller().project_id, _session(request.session_id)
        )
        response = pb.GetObservingStatusResponse(
            observed=counted.observed,
            in_process=counted.in_process,
            pending=counted.pending,
            failed=counted.failed,
            paused=counted.paused or None,
        )
        response.updated_at.FromDatetime(counted.at)
        return response

    async def GetLearningStatus(
        self, request: pb.GetLearningStatusRequest, context: Context
    ) -> pb.GetLearningStatusResponse:
        counted = await self._reading.get_learning_status(
            caller().project_id, _session(request.session_id)
        )
        return pb.GetLearningStatusResponse(
            space_digested_count=counted.digested,
            not_space_digested_count=counted.waiting,
            paused=counted.paused or None,
            failed_count=counted.failed or None,
        )

    async def RetryFailedMessages(
        self, request: pb.RetryFailedMessagesRequest, context: Context
    ) -> pb.RetryFailedMessagesResponse:
        count = await self._reading.retry_failed_messages(
            caller().project_id, _session(request.session_id)
        )
        return pb.RetryFailedMessagesResponse(count=count)

    async def ReobserveSession(
        self, request: pb.ReobserveSessionRequest, context: Context
    ) -> pb.ReobserveSessionResponse:
        verbs = self._reobserving
        reobserve = verbs.compare if request.dry_run else verbs.reobserve_session
        found = await reobserve(caller().project_id, _session(request.session_id))
        return pb.ReobserveSessionResponse(
            items=[to_proto(task) for task in found.tasks],
            former=[to_proto(task) for task in found.former],
            generation=found.generation,
        )

    async def GetStatistics(
        self, request: pb.GetStatisticsRequest, context: Context
    ) -> pb.GetStatisticsResponse:
        days, lag = await self._reading.get_statistics(
            caller().project_id,
            days=request.days or DEFAULT_DAYS,
            time_zone=request.time_zone or "UTC",
        )
        return pb.GetStatisticsResponse(
            days=[day_to_proto(day) for day in days], observation_lag_seconds=lag
        )

    async def GetTaskContext(
        self, request: pb.GetTaskContextRequest, context: Context
    ) -> pb.GetTaskContextResponse:
        found = await self._reading.get_task_context(caller().project_id, _task(request.task_id))
        return pb.GetTaskContextResponse(
            task=to_proto(found.task),
            messages=[message_to_proto(one) for one in found.messages],
            earlier=[to_proto(one) for one in found.earlier],
            space_id=str(found.space_id) if found.space_id else None,
            after=[message_to_proto(one) for one in found.after],
        )

    def _position(self, scope: str, cursor: str) -> int | None:
        if not cursor:
            return None
        (position,) = self._cursors.decode(scope, cursor)
        if not isinstance(position, int):
            raise InvalidCursor
        return position


class RunServicer(pb.RunServiceServicer):
    """Serves runs."""

    def __init__(self, reading: Reading, budget: Budget, cursors: Cursors) -> None:
        self._reading = reading
        self._budget = budget
        self._cursors = cursors

    async def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        project_id, limit = caller().project_id, request.limit or DEFAULT_LIMIT
        filters = f"{request.session_id}:{request.outcome}:{request.time_desc}"
        scope = f"runs:{project_id}:{filters}"
        found = await self._reading.list_runs(
            project_id,
            session_id=_session(request.session_id) if request.session_id else None,
            outcome=request.outcome,
            after=self._cursors.decode_time(scope, request.cursor),
            descending=request.time_desc,
            limit=limit,
        )
        page = self._cursors.page(scope, found, limit, lambda run: (run.created_at, run.id))
        return pb.ListRunsResponse(
            items=[run_to_proto(run) for run in page.items],
            next_cursor=page.next_cursor,
            has_more=page.has_more,
        )

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.GetRunResponse:
        run_id = RunId(UUID(request.run_id))
        return pb.GetRunResponse(
            run=run_to_proto(await self._reading.get_run(caller().project_id, run_id))
        )

    async def GetTokenUse(
        self, request: pb.GetTokenUseRequest, context: Context
    ) -> pb.GetTokenUseResponse:
        month = date.fromisoformat(f"{request.month}-01") if request.month else None
        use = await self._budget.use(caller().project_id, month)
        return pb.GetTokenUseResponse(token_use=use_to_proto(use))


def to_proto(task: Task) -> pb.Task:
    """Show a task."""
    shown = pb.Task(
        id=str(task.id),
        session_id=str(task.session_id),
        project_id=str(task.project_id),
        order=task.order,
        data=pb.TaskData(
            task_description=task.state.description,
            progresses=task.state.progresses,
            user_preferences=task.state.preferences,
        ),
        status=task.status.value,
        is_planning=task.order == PLANNING,
        space_digested=task.space_digested,
        version=task.version,
        outcome_by="set" if task.state.settled else "observed",
    )
    shown.created_at.FromDatetime(task.created_at)
    shown.updated_at.FromDatetime(task.updated_at)
    return shown


def message_to_proto(message: TaskMessage) -> pb.TaskMessage:
    """Show a message of a task."""
    return pb.TaskMessage(message_id=str(message.message_id), sequence=message.sequence)


def change_to_proto(change: TaskChange, cursor: str) -> pb.TaskChange:
    """Show a change, with where to resume behind it."""
    shown = pb.TaskChange(cursor=cursor, task=to_proto(change.task), removed=change.removed)
    shown.occurred_at.FromDatetime(change.occurred_at)
    return shown


def run_to_proto(run: Run) -> pb.Run:
    """Show a run."""
    shown = pb.Run(
        id=str(run.id),
        project_id=str(run.project_id),
        role="observer",
        engine=run.engine,
        instruction_version=run.instruction_version,
        session_id=str(run.session_id),
        rounds=run.rounds,
        tool_calls=run.tool_calls,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost=run.cost,
        duration_seconds=run.duration_seconds,
        outcome=run.outcome,
        error=run.error or None,
        summary=run.summary,
    )
    shown.created_at.FromDatetime(run.created_at)
    return shown


def use_to_proto(use: TokenUse) -> pb.TokenUse:
    """Show what a month took."""
    roles = [
        pb.RoleUse(
            role=one.role,
            runs=one.runs,
            input_tokens=one.input_tokens,
            output_tokens=one.output_tokens,
            cost=one.cost,
        )
        for one in use.roles
    ]
    return pb.TokenUse(
        month=f"{use.month:%Y-%m}",
        tokens=use.tokens,
        budget=use.budget,
        paused=use.is_used_up,
        roles=roles,
    )


def day_to_proto(day: Day) -> pb.DayStatistics:
    """Show what a day counts."""
    shown = pb.DayStatistics(
        date=day.date, sessions=day.sessions, messages=day.messages, **day.tasks
    )
    ended = shown.success + shown.failed
    if ended:
        shown.success_rate = shown.success / ended
    if day.sessions:
        shown.messages_per_session = day.messages / day.sessions
        shown.tasks_per_session = sum(day.tasks.values()) / day.sessions
    return shown


def _session(text: str) -> SessionId:
    return SessionId(UUID(text))


def _task(text: str) -> TaskId:
    return TaskId(UUID(text))
