"""Events: what we announce as protobuf, and what others' events make us do."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from uuid import UUID

from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from acontext.space import v1 as space_pb
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.outbox import Announcement
from acontext_server.observer.app.budget import Budget
from acontext_server.observer.app.following import Following
from acontext_server.observer.app.nudging import Nudging
from acontext_server.observer.domain import (
    Clock,
    Event,
    NewId,
    ProjectForgotten,
    SessionId,
    SpaceId,
    Spending,
    TaskCompleted,
    TaskId,
    TasksChanged,
    UserForgotten,
    UserId,
)

NUDGES = ("message_stored",)
SESSION_FACTS = (
    "session_connected",
    "deleted.session_deleted",
    "deleted.user_deleted",
    "deleted.project_deleted",
)
SPACE_FACTS = ("task_learned", "tokens_spent")

Handler = Callable[[bytes], Awaitable[None]]


def to_announcement(event: Event, *, now: Clock, new_id: NewId) -> Announcement:
    """Put an event into its envelope."""
    event_id = new_id()
    envelope = pb.ObserverEvent(id=str(event_id), project_id=str(event.project_id))
    envelope.occurred_at.FromDatetime(now())
    name, entity = _fill(envelope, event)
    return Announcement(
        id=event_id,
        project_id=event.project_id,
        event=name,
        entity=entity,
        payload=envelope.SerializeToString(deterministic=True),
    )


def _fill(envelope: pb.ObserverEvent, event: Event) -> tuple[str, UUID]:
    match event:
        case TasksChanged():
            envelope.tasks_changed.session_id = str(event.session_id)
            envelope.tasks_changed.task_ids.extend(str(one) for one in event.task_ids)
            return "tasks_changed", event.session_id
        case TaskCompleted():
            envelope.task_completed.session_id = str(event.session_id)
            envelope.task_completed.task_id = str(event.task_id)
            envelope.task_completed.task_version = event.completion
            envelope.task_completed.space_id = str(event.space_id)
            return "task_completed", event.session_id
        case UserForgotten():
            envelope.user_forgotten.user_id = str(event.user_id)
            return "user_forgotten", event.user_id
        case ProjectForgotten():
            envelope.project_forgotten.SetInParent()
            return "project_forgotten", event.project_id


def on_nudge(nudging: Nudging) -> Handler:
    """Deal with session's nudges; those of sessions that nobody observes are for watchers."""

    async def handle(data: bytes) -> None:
        event = session_pb.SessionEvent.FromString(data)
        stored = event.message_stored
        if event.HasField("message_stored") and not stored.disable_task_tracking:
            await nudging.nudge(
                ProjectId(UUID(event.project_id)),
                SessionId(UUID(stored.session_id)),
                stored.sequence,
            )

    return handle


def on_session_fact(following: Following, forget_keys: Callable[[], None]) -> Handler:
    """Deal with what session announces; events that we do not know are skipped."""

    async def handle(data: bytes) -> None:
        event = session_pb.SessionEvent.FromString(data)
        project_id = ProjectId(UUID(event.project_id))
        match event.WhichOneof("event"):
            case "session_connected":
                connected = event.session_connected
                await following.connect_session(
                    project_id,
                    SessionId(UUID(connected.session_id)),
                    SpaceId(UUID(connected.space_id)),
                )
            case "session_deleted":
                session_id = SessionId(UUID(event.session_deleted.session_id))
                await following.delete_session(project_id, session_id)
            case "user_deleted":
                user_id = UserId(UUID(event.user_deleted.user_id))
                await following.delete_user(project_id, user_id)
            case "project_deleted":
                forget_keys()  # other replicas ask again within seconds
                await following.delete_project(project_id)

    return handle


def on_space_fact(following: Following, budget: Budget) -> Handler:
    """Deal with what space announces."""

    async def handle(data: bytes) -> None:
        event = space_pb.SpaceEvent.FromString(data)
        match event.WhichOneof("event"):
            case "task_learned":
                learned, project_id = event.task_learned, ProjectId(UUID(event.project_id))
                task_id, completion = TaskId(UUID(learned.task_id)), learned.task_version
                if learned.outcome == "failed":
                    await following.give_up_task(project_id, task_id, completion=completion)
                    return
                await following.learn_task(
                    project_id,
                    task_id,
                    completion=completion,
                    space_id=SpaceId(UUID(learned.space_id)),
                )
            case "tokens_spent":
                await budget.count(_spending(event))

    return handle


def _spending(event: space_pb.SpaceEvent) -> Spending:
    spent = event.tokens_spent
    return Spending(
        project_id=ProjectId(UUID(event.project_id)),
        run_id=UUID(spent.run_id),
        role=spent.role,
        input_tokens=spent.input_tokens,
        output_tokens=spent.output_tokens,
        cost=spent.cost if spent.HasField("cost") else None,
        spent_at=event.occurred_at.ToDatetime(tzinfo=UTC),
    )
