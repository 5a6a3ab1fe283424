"""Events: what ours look like on the wire, and what is forgotten when others tell of deletions."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import nats
import psycopg
import pytest
from google.protobuf.json_format import MessageToDict

from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from acontext_server.kit.bus import open_bus
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import (
    Event,
    ProjectForgotten,
    SessionId,
    SpaceId,
    TaskCompleted,
    TaskId,
    TasksChanged,
    UserForgotten,
    UserId,
)
from acontext_server.observer.events import to_announcement
from tests.observer.conftest import README, Observer, eventually

PROJECT, SESSION, TASK, SPACE, USER, EVENT = (UUID(int=number) for number in range(1, 7))
ENVELOPE = {
    "id": str(EVENT),
    "occurredAt": "2026-11-22T10:00:00Z",
    "projectId": str(PROJECT),
}

GOLDEN: list[tuple[Event, str, dict[str, object]]] = [
    (
        TasksChanged(
            project_id=ProjectId(PROJECT), session_id=SessionId(SESSION), task_ids=(TaskId(TASK),)
        ),
        f"tasks_changed {SESSION}",
        {"tasksChanged": {"sessionId": str(SESSION), "taskIds": [str(TASK)]}},
    ),
    (
        TaskCompleted(
            project_id=ProjectId(PROJECT),
            session_id=SessionId(SESSION),
            task_id=TaskId(TASK),
            completion=2,
            space_id=SpaceId(SPACE),
        ),
        f"task_completed {SESSION}",
        {
            "taskCompleted": {
                "sessionId": str(SESSION),
                "taskId": str(TASK),
                "taskVersion": 2,
                "spaceId": str(SPACE),
            }
        },
    ),
    (
        UserForgotten(project_id=ProjectId(PROJECT), user_id=UserId(USER)),
        f"user_forgotten {USER}",
        {"userForgotten": {"userId": str(USER)}},
    ),
    (
        ProjectForgotten(project_id=ProjectId(PROJECT)),
        f"project_forgotten {PROJECT}",
        {"projectForgotten": {}},
    ),
]


@pytest.mark.parametrize(("event", "where", "shown"), GOLDEN)
def test_events_stay_on_the_wire_as_they_are(
    event: Event, where: str, shown: dict[str, object]
) -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    announced = to_announcement(event, now=lambda: at, new_id=lambda: EVENT)
    assert f"{announced.event} {announced.entity}" == where
    envelope = pb.ObserverEvent.FromString(announced.payload)
    assert MessageToDict(envelope) == ENVELOPE | shown


@pytest.mark.parametrize("deleted", ["user_deleted", "project_deleted"])
async def test_what_is_deleted_elsewhere_is_forgotten_here_and_confirmed(
    observer: Observer, deleted: str
) -> None:
    session_id = await observer.new_session(user="alice")
    await observer.store(session_id, README)
    await observer.flush(session_id)
    project_id, user_id = _owners(observer, session_id)
    event = session_pb.SessionEvent(id=str(uuid4()), project_id=str(project_id))
    if deleted == "user_deleted":
        event.user_deleted.user_id = str(user_id)
    else:
        event.project_deleted.SetInParent()
    await _announce(observer, f"deleted.{deleted}", project_id, event)
    confirmed = await _next(observer, deleted.replace("deleted", "forgotten"))
    assert confirmed.project_id == str(project_id)
    assert confirmed.user_forgotten.user_id == (str(user_id) if "user" in deleted else "")

    async def is_gone() -> bool:
        with psycopg.connect(observer.platform.settings.database_url) as connection:
            left = connection.execute("SELECT 1 FROM observer.observation").fetchall()
        return not left

    await eventually(is_gone)


def _owners(observer: Observer, session_id: str) -> tuple[UUID, UUID]:
    query = "SELECT project_id, user_id FROM observer.observation WHERE session_id = %s"
    with psycopg.connect(observer.platform.settings.database_url) as connection:
        row = connection.execute(query, [session_id]).fetchone()
    assert row is not None
    return row[0], row[1]


async def _announce(
    observer: Observer, name: str, project_id: UUID, event: session_pb.SessionEvent
) -> None:
    settings = observer.platform.settings
    async with open_bus(settings.nats_url, prefix=settings.nats_prefix) as bus:
        subject = bus.subject("session", name, ProjectId(project_id), project_id)
        await bus.publish(subject, event.SerializeToString(), message_id=event.id)


async def _next(observer: Observer, name: str) -> pb.ObserverEvent:
    settings = observer.platform.settings
    client = await nats.connect(settings.nats_url)
    try:
        subject = f"{settings.nats_prefix}.observer.v1.{name}.>"
        subscription = await client.jetstream().subscribe(subject, ordered_consumer=True)
        message = await subscription.next_msg(timeout=15)
        return pb.ObserverEvent.FromString(message.data)
    finally:
        await client.close()
