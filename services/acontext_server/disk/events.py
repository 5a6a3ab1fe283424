"""What disk announces, and what it does when session announces a deletion."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from acontext.disk import v1 as pb
from acontext.session import v1 as session
from acontext_server.disk.app import DiskApp
from acontext_server.disk.domain import (
    ArtifactChanged,
    DiskDeleted,
    DiskId,
    Event,
    ProjectForgotten,
    UserForgotten,
    UserId,
)
from acontext_server.kit.bus import Bus
from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.outbox import Announcement, Outbox

EVERY_DISK = "*"
"""Stands for the disk in a subject when a whole project is meant."""


class Announcer:
    """Writes domain events to the outbox."""

    def __init__(
        self, outbox: Outbox, *, now: Callable[[], datetime], new_id: Callable[[], UUID]
    ) -> None:
        self._outbox = outbox
        self._now = now
        self._new_id = new_id

    async def __call__(self, tx: Tx, project_id: ProjectId, *events: Event) -> None:
        await self._outbox.add(tx, [self._announcement(project_id, event) for event in events])

    def _announcement(self, project_id: ProjectId, event: Event) -> Announcement:
        event_id = self._new_id()
        message = pb.DiskEvent(id=str(event_id), project_id=str(project_id))
        message.occurred_at.FromDatetime(self._now())
        name, entity = _fill(message, project_id, event)
        return Announcement(
            id=event_id,
            project_id=project_id,
            event=name,
            entity=entity,
            payload=message.SerializeToString(deterministic=True),
        )


def _fill(message: pb.DiskEvent, project_id: ProjectId, event: Event) -> tuple[str, UUID]:
    match event:
        case ArtifactChanged(disk_id=disk_id, location=location, removed=removed):
            changed = message.artifact_changed
            changed.disk_id, changed.removed = str(disk_id), removed
            changed.path, changed.filename = location.path, location.filename
            return "artifact_changed", disk_id
        case DiskDeleted(disk_id=disk_id):
            message.disk_deleted.disk_id = str(disk_id)
            return "deleted.disk_deleted", disk_id
        case UserForgotten(user_id=user_id):
            message.user_forgotten.user_id = str(user_id)
            return "user_forgotten", user_id
        case ProjectForgotten():
            message.project_forgotten.SetInParent()
            return "project_forgotten", project_id


class Listeners:
    """Follows deletions: those of users and projects, and its own of disks."""

    def __init__(self, app: DiskApp, bus: Bus, *, forget_keys: Callable[[], None]) -> None:
        self._app = app
        self._bus = bus
        self._forget_keys = forget_keys

    async def follow_session(self) -> None:
        """Remove what belonged to deleted users and projects, for as long as the caller lives."""
        events = ["deleted.user_deleted", "deleted.project_deleted"]
        await self._bus.listen("session", "disk_deletions", events, self._session_event)

    async def follow_disk(self) -> None:
        """Remove deleted disks from the stream, after what was announced of them before."""
        await self._bus.listen("disk", "disk_purges", ["deleted.disk_deleted"], self._disk_event)

    async def _session_event(self, payload: bytes) -> None:
        event = session.SessionEvent.FromString(payload)
        project_id = ProjectId(UUID(event.project_id))
        match event.WhichOneof("event"):
            case "user_deleted":
                user_id = UserId(UUID(event.user_deleted.user_id))
                await self._app.forget_user(project_id, user_id)
            case "project_deleted":
                self._forget_keys()  # other replicas ask again within seconds
                await self._app.forget_project(project_id)
                # Before the receipt, which the purge would take too.
                await self._bus.purge("disk", project_id, EVERY_DISK)
                await self._app.confirm_project(project_id)

    async def _disk_event(self, payload: bytes) -> None:
        event = pb.DiskEvent.FromString(payload)
        if event.WhichOneof("event") == "disk_deleted":
            disk_id = DiskId(UUID(event.disk_deleted.disk_id))
            await self._bus.purge("disk", ProjectId(UUID(event.project_id)), disk_id)
