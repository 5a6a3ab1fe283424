"""Tasks: listing, watching, outcomes from outside, and what learning is told."""

import time
from collections.abc import Awaitable
from typing import Any
from uuid import UUID, uuid4

import nats
import psycopg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode, aio

from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from acontext.space import v1 as space_pb
from acontext_server.kit.bus import Bus, open_bus
from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.kit.rpc import reason_of
from tests.observer.conftest import README, Observer, eventually

Watch = aio.UnaryStreamCall[pb.WatchTasksRequest, pb.WatchTasksResponse]


@pytest.fixture
async def session_id(observer: Observer) -> str:
    """A session whose conversation is observed."""
    session_id = await observer.new_session()
    await observer.store(session_id, README)
    await observer.flush(session_id)
    return session_id


async def test_tasks_are_paged_by_order_both_ways(observer: Observer, session_id: str) -> None:
    key = observer.platform.key
    first = await observer.tasks.ListTasks(
        pb.ListTasksRequest(session_id=session_id, limit=2), metadata=key
    )
    assert ([task.order for task in first.items], first.has_more) == ([1, 2], True)
    rest = await observer.tasks.ListTasks(
        pb.ListTasksRequest(session_id=session_id, limit=2, cursor=first.next_cursor), metadata=key
    )
    assert ([task.order for task in rest.items], rest.has_more) == ([3], False)
    assert rest.next_cursor == ""
    newest = await observer.tasks_of(session_id, time_desc=True, limit=1)
    assert [task.order for task in newest] == [3]


async def test_tasks_of_all_sessions_are_found_by_status_and_time(
    observer: Observer, session_id: str
) -> None:
    async def found(**fields: Any) -> list[str]:
        request = pb.ListProjectTasksRequest(**fields)
        page = await observer.tasks.ListProjectTasks(request, metadata=observer.platform.key)
        return [task.id for task in page.items]

    tasks = await observer.tasks_of(session_id)
    ids = sorted(task.id for task in tasks)
    assert sorted(await found()) == ids
    assert sorted(await found(status=tasks[0].status)) == sorted(
        task.id for task in tasks if task.status == tasks[0].status
    )
    first = pb.ListProjectTasksRequest(limit=2, time_desc=True)
    page = await observer.tasks.ListProjectTasks(first, metadata=observer.platform.key)
    rest = await found(limit=2, time_desc=True, cursor=page.next_cursor)
    assert sorted([task.id for task in page.items] + rest) == ids
    soon = Timestamp(seconds=int(time.time()) + 60)
    assert await found(seen_after=soon) == []
    assert sorted(await found(seen_before=soon)) == ids


@pytest.mark.parametrize("cursor", ["made-up", "AAAA", "%%%"])
async def test_a_cursor_that_we_did_not_make_is_refused(
    observer: Observer, session_id: str, cursor: str
) -> None:
    assert await _refused(observer.tasks_of(session_id, cursor=cursor)) == (
        StatusCode.INVALID_ARGUMENT,
        "INVALID_CURSOR",
    )


async def test_unknown_ids_are_not_found(observer: Observer) -> None:
    key, unknown = observer.platform.key, str(uuid4())
    stub, runs = observer.tasks, observer.runs
    missing = StatusCode.NOT_FOUND
    session = (missing, "SESSION_NOT_FOUND")
    assert await _refused(observer.tasks_of(unknown)) == session
    assert await _refused(observer.flush(unknown)) == session
    assert await _refused(observer.status(unknown)) == session
    learning = stub.GetLearningStatus(pb.GetLearningStatusRequest(session_id=unknown), metadata=key)
    assert await _refused(learning) == session
    task = stub.GetTask(pb.GetTaskRequest(task_id=unknown), metadata=key)
    assert await _refused(task) == (missing, "TASK_NOT_FOUND")
    run = runs.GetRun(pb.GetRunRequest(run_id=unknown), metadata=key)
    assert await _refused(run) == (missing, "RUN_NOT_FOUND")


async def test_an_outcome_from_outside_wins_over_what_is_observed_later(
    observer: Observer, session_id: str
) -> None:
    task = (await observer.tasks_of(session_id))[0]
    request = pb.SetTaskOutcomeRequest(task_id=task.id, status="failed", reason="It was made up.")
    for _ in range(2):
        answer = await observer.tasks.SetTaskOutcome(request, metadata=observer.platform.key)
    assert (answer.task.status, answer.task.outcome_by) == ("failed", "set")
    assert answer.task.version == task.version + 1
    assert answer.task.data.progresses[-1] == "It was made up."
    await observer.store(session_id, [{"role": "user", "content": "That is wrong, do it again."}])
    await observer.flush(session_id)
    assert (await observer.tasks_of(session_id))[0].status == "failed"


async def test_a_task_that_nobody_worked_on_cannot_succeed(
    observer: Observer, session_id: str
) -> None:
    planned = (await observer.tasks_of(session_id))[2]
    request = pb.SetTaskOutcomeRequest(task_id=planned.id, status="success")
    call = observer.tasks.SetTaskOutcome(request, metadata=observer.platform.key)
    assert await _refused(call) == (StatusCode.FAILED_PRECONDITION, "TRANSITION_REFUSED")


async def test_a_watch_gives_every_change_and_goes_on_behind_its_cursor(
    observer: Observer, session_id: str
) -> None:
    key = observer.platform.key
    from_the_first = pb.WatchTasksRequest(session_id=session_id, cursor="")
    watch = observer.tasks.WatchTasks(from_the_first, metadata=key)
    seen = [await _next(watch) for _ in range(3)]
    assert [change.task.order for change in seen] == [1, 2, 3]
    request = pb.SetTaskOutcomeRequest(task_id=seen[1].task.id, status="failed")
    await observer.tasks.SetTaskOutcome(request, metadata=key)
    live = await _next(watch)
    assert (live.task.order, live.task.status) == (2, "failed")
    watch.cancel()
    resumed = observer.tasks.WatchTasks(
        pb.WatchTasksRequest(session_id=session_id, cursor=seen[2].cursor), metadata=key
    )
    assert await _next(resumed) == live
    resumed.cancel()


async def test_a_watch_from_now_on_says_where_that_is_if_it_is_asked(
    observer: Observer, session_id: str
) -> None:
    key = observer.platform.key
    asked = pb.WatchTasksRequest(session_id=session_id, with_start=True)
    watch = observer.tasks.WatchTasks(asked, metadata=key)
    begun = await watch.read()
    assert isinstance(begun, pb.WatchTasksResponse)
    assert not begun.HasField("change")
    watch.cancel()
    task = (await observer.tasks_of(session_id))[1]
    request = pb.SetTaskOutcomeRequest(task_id=task.id, status="failed")
    await observer.tasks.SetTaskOutcome(request, metadata=key)
    resumed = observer.tasks.WatchTasks(pb.WatchTasksRequest(cursor=begun.start), metadata=key)
    missed = await _next(resumed)
    assert (missed.task.id, missed.task.status) == (task.id, "failed")
    resumed.cancel()


async def test_watchers_are_told_that_tasks_are_gone(observer: Observer, session_id: str) -> None:
    key = observer.platform.key
    watch = observer.tasks.WatchTasks(pb.WatchTasksRequest(cursor=""), metadata=key)
    known = {(await _next(watch)).task.id for _ in range(3)}
    request = session_pb.DeleteSessionRequest(session_id=session_id)
    await observer.sessions.DeleteSession(request, metadata=key)
    gone = [await _next(watch) for _ in range(3)]
    assert {change.task.id for change in gone} == known
    assert {change.removed for change in gone} == {True}
    assert {change.task.data.task_description for change in gone} == {""}
    watch.cancel()


async def test_the_context_of_a_task_has_its_messages_and_what_came_before(
    observer: Observer, session_id: str
) -> None:
    first, second, _ = await observer.tasks_of(session_id)
    as_service = observer.platform.as_service(ProjectId(UUID(first.project_id)))
    request = pb.GetTaskContextRequest(task_id=second.id)
    context = await observer.tasks.GetTaskContext(request, metadata=as_service)
    assert [task.id for task in context.earlier] == [first.id]
    request = pb.GetTaskContextRequest(task_id=first.id)
    context = await observer.tasks.GetTaskContext(request, metadata=as_service)
    assert [message.sequence for message in context.messages] == [3, 4, 5, 6]
    assert await _refused(
        observer.tasks.GetTaskContext(request, metadata=observer.platform.key)
    ) == (StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")


async def test_completed_tasks_are_announced_to_a_space_that_is_connected_later(
    observer: Observer, session_id: str
) -> None:
    task, space_id = (await observer.tasks_of(session_id))[0], str(uuid4())
    settings = observer.platform.settings
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("UPDATE session.session SET space_id = %s", [space_id])
        connected = session_pb.SessionConnected(session_id=session_id, space_id=space_id)
        event = session_pb.SessionEvent(project_id=task.project_id, session_connected=connected)
        await _publish(bus, "session", "session_connected", task, event.SerializeToString())
        completed = await _next_completed(observer)
        assert (completed.task_id, completed.space_id) == (task.id, space_id)
        learned = space_pb.TaskLearned(
            space_id=space_id,
            session_id=session_id,
            task_id=task.id,
            task_version=completed.task_version,
        )
        told = space_pb.SpaceEvent(project_id=task.project_id, task_learned=learned)
        await bus.ensure_stream("space")

        async def is_given_up() -> bool:
            request = pb.GetLearningStatusRequest(session_id=session_id)
            at = await observer.tasks.GetLearningStatus(request, metadata=observer.platform.key)
            return (at.space_digested_count, at.failed_count) == (0, 1)

        told.task_learned.outcome = "failed"
        await _publish(bus, "space", "task_learned", task, told.SerializeToString())
        await eventually(is_given_up)
        assert not (await observer.tasks_of(session_id))[0].space_digested
        told.task_learned.outcome = "skill"
        await _publish(bus, "space", "task_learned", task, told.SerializeToString())

        async def is_digested() -> bool:
            return (await observer.tasks_of(session_id))[0].space_digested

        await eventually(is_digested)


async def _next(watch: Watch) -> pb.TaskChange:
    """Read one change."""
    response = await watch.read()
    assert isinstance(response, pb.WatchTasksResponse)
    return response.change


async def _publish(bus: Bus, service: str, event: str, task: pb.Task, payload: bytes) -> None:
    subject = bus.subject(service, event, ProjectId(uuid7()), task.session_id)
    await bus.publish(subject, payload, message_id=str(uuid4()))


async def _next_completed(observer: Observer) -> pb.TaskCompleted:
    settings = observer.platform.settings
    client = await nats.connect(settings.nats_url)
    subject = f"{settings.nats_prefix}.observer.v1.task_completed.>"
    try:
        subscription = await client.jetstream().subscribe(subject, ordered_consumer=True)
        message = await subscription.next_msg(timeout=15)
        return pb.ObserverEvent.FromString(message.data).task_completed
    finally:
        await client.close()


async def _refused(call: Awaitable[object]) -> tuple[StatusCode, str | None]:
    """Say how a call was refused."""
    with pytest.raises(aio.AioRpcError) as refused:
        await call
    return refused.value.code(), reason_of(refused.value)
