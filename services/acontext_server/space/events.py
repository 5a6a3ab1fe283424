"""Events: ours on their way out, and others' on their way to the verbs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as pb
from acontext_server.kit.bus import Bus
from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.outbox import Announcement, Outbox
from acontext_server.kit.rpc import Runnable
from acontext_server.space.app import Announce
from acontext_server.space.app.learning import LearningApp
from acontext_server.space.app.spaces import SpaceApp
from acontext_server.space.domain.events import (
    Event,
    ProjectForgotten,
    SkillChanged,
    SkillLearned,
    SkillRemoved,
    SpaceDeleted,
    TaskLearned,
    TokensSpent,
    UserForgotten,
)
from acontext_server.space.domain.learning import Completion, Run

SERVICE = "space"


def announcer(
    outbox: Outbox, *, now: Callable[[], datetime], new_id: Callable[[], UUID]
) -> Announce:
    """Make what writes events into the outbox of a transaction."""

    async def announce(tx: Tx, project_id: ProjectId, events: list[Event]) -> None:
        await outbox.add(tx, [wrapped(one, project_id, new_id(), now()) for one in events])

    return announce


def wrapped(event: Event, project_id: ProjectId, event_id: UUID, at: datetime) -> Announcement:
    """Put an event into its envelope."""
    envelope = pb.SpaceEvent(id=str(event_id), project_id=str(project_id))
    envelope.occurred_at.FromDatetime(at)
    name, entity = _fill(envelope, event, project_id)
    return Announcement(
        id=event_id,
        project_id=project_id,
        event=name,
        entity=entity,
        payload=envelope.SerializeToString(),
    )


def _fill(envelope: pb.SpaceEvent, event: Event, project_id: ProjectId) -> tuple[str, UUID]:
    """Write an event into its field, and tell its name and what it is about."""
    match event:
        case SkillLearned(space_id, skill_id):
            learned = pb.SkillLearned(space_id=str(space_id), skill_id=str(skill_id))
            envelope.skill_learned.CopyFrom(learned)
            return "skill_learned", space_id
        case SkillChanged(space_id, skill_id, version):
            changed = pb.SkillChanged(
                space_id=str(space_id), skill_id=str(skill_id), version=version
            )
            envelope.skill_changed.CopyFrom(changed)
            return "skill_changed", space_id
        case SkillRemoved(space_id, skill_id):
            removed = pb.SkillRemoved(space_id=str(space_id), skill_id=str(skill_id))
            envelope.skill_removed.CopyFrom(removed)
            return "skill_removed", space_id
        case TaskLearned(completion, outcome):
            envelope.task_learned.CopyFrom(_task_learned(completion, outcome))
            return "task_learned", completion.space_id
        case SpaceDeleted(space_id):
            envelope.space_deleted.CopyFrom(pb.SpaceDeleted(space_id=str(space_id)))
            return "deleted.space_deleted", space_id
        case UserForgotten(user_id):
            envelope.user_forgotten.CopyFrom(pb.UserForgotten(user_id=str(user_id)))
            return "user_forgotten", user_id
        case ProjectForgotten():
            envelope.project_forgotten.SetInParent()
            return "project_forgotten", project_id
        case TokensSpent(run):
            envelope.tokens_spent.CopyFrom(_tokens_spent(run))
            return "tokens_spent", run.space_id or project_id


def _tokens_spent(run: Run) -> pb.TokensSpent:
    return pb.TokensSpent(
        run_id=str(run.id),
        role=run.role,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        cost=run.cost,
        space_id=str(run.space_id or ""),
    )


def _task_learned(completion: Completion, outcome: str) -> pb.TaskLearned:
    return pb.TaskLearned(
        space_id=str(completion.space_id),
        session_id=str(completion.session_id),
        task_id=str(completion.task_id),
        task_version=completion.task_version,
        outcome=outcome,
    )


def listeners(
    bus: Bus, spaces: SpaceApp, learning: LearningApp, forget_keys: Callable[[], None]
) -> list[Runnable]:
    """Make what listens to the other services, each as a durable consumer."""

    async def to_observer() -> None:
        handler = _observer_handler(learning)
        await bus.listen("observer", "space", ["task_completed", "tasks_changed"], handler)

    async def to_session() -> None:
        gone = ["session_deleted", "user_deleted", "project_deleted"]
        names = [f"deleted.{one}" for one in gone]
        await bus.listen("session", "space", names, _session_handler(spaces, forget_keys))

    async def purge_deleted() -> None:
        await bus.listen("space", "space_purge", ["deleted.space_deleted"], _purger(bus))

    return [to_observer, to_session, purge_deleted]


def _purger(bus: Bus) -> Callable[[bytes], Awaitable[None]]:
    """Take what the stream still holds of a deleted space out of it."""

    async def handle(payload: bytes) -> None:
        event = pb.SpaceEvent.FromString(payload)
        project_id = ProjectId(UUID(event.project_id))
        await bus.purge(SERVICE, project_id, event.space_deleted.space_id)

    return handle


def _observer_handler(learning: LearningApp) -> Callable[[bytes], Awaitable[None]]:
    async def handle(payload: bytes) -> None:
        event = observer.ObserverEvent.FromString(payload)
        project_id = ProjectId(UUID(event.project_id))
        match event.WhichOneof("event"):
            case "task_completed":
                await learning.task_completed(_completion(project_id, event.task_completed))
            case "tasks_changed":
                changed = event.tasks_changed
                await learning.tasks_changed(
                    project_id, UUID(changed.session_id), list(changed.task_ids)
                )
            case _:
                return

    return handle


def _completion(project_id: ProjectId, completed: observer.TaskCompleted) -> Completion:
    return Completion(
        project_id=project_id,
        space_id=UUID(completed.space_id),
        session_id=UUID(completed.session_id),
        task_id=UUID(completed.task_id),
        task_version=completed.task_version,
    )


def _session_handler(
    spaces: SpaceApp, forget_keys: Callable[[], None]
) -> Callable[[bytes], Awaitable[None]]:
    async def handle(payload: bytes) -> None:
        event = session.SessionEvent.FromString(payload)
        project_id = ProjectId(UUID(event.project_id))
        match event.WhichOneof("event"):
            case "session_deleted":
                await spaces.forget_session(project_id, UUID(event.session_deleted.session_id))
            case "user_deleted":
                await spaces.forget_user(project_id, UUID(event.user_deleted.user_id))
            case "project_deleted":
                forget_keys()  # other replicas ask again within seconds
                await spaces.forget_project(project_id)
            case _:
                return

    return handle
