"""What session announces and how, and what it does about others' events."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as pb
from acontext.space import v1 as space
from acontext_server.kit.bus import Bus
from acontext_server.kit.database import Tx, after_commit
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.outbox import Announcement, Outbox
from acontext_server.session.app.deleting import DeletingApp
from acontext_server.session.app.sessions import SessionApp
from acontext_server.session.app.watching import Watchers
from acontext_server.session.domain import (
    Event,
    Grown,
    ProjectDeleted,
    SessionConnected,
    SessionDeleted,
    SessionId,
    SpaceId,
    UserDeleted,
)

SESSION_DELETED = "deleted.session_deleted"

GATHER_SECONDS = 0.5
"""How long logs may grow between two rounds of nudges. A nudge for every commit would cost NATS and
the observer more than storing the messages costs us; the first after a pause goes at once."""
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Announcer:
    """Puts facts into the outbox."""

    outbox: Outbox
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    nudges: "Nudges"

    async def announce(self, tx: Tx, project_id: ProjectId, event: Event) -> None:
        """Write a fact in the transaction that makes it."""
        envelope = pb.SessionEvent(
            id=str(self.new_id()), project_id=str(project_id), occurred_at=_stamp(self.now())
        )
        name, entity = _fill(envelope, project_id, event)
        announcement = Announcement(
            id=UUID(envelope.id),
            project_id=project_id,
            event=name,
            entity=entity,
            payload=envelope.SerializeToString(),
        )
        await self.outbox.add(tx, [announcement])
        if isinstance(event, SessionDeleted):
            after_commit(tx, partial(self.nudges.forget, project_id, event.session_id))


def _fill(envelope: pb.SessionEvent, project_id: ProjectId, event: Event) -> tuple[str, UUID]:
    match event:
        case SessionConnected(session_id=session_id, space_id=space_id):
            connected = pb.SessionConnected(session_id=str(session_id), space_id=str(space_id))
            envelope.session_connected.CopyFrom(connected)
            return "session_connected", session_id
        case SessionDeleted(session_id=session_id):
            envelope.session_deleted.CopyFrom(pb.SessionDeleted(session_id=str(session_id)))
            return SESSION_DELETED, session_id
        case UserDeleted(user_id=user_id):
            envelope.user_deleted.CopyFrom(pb.UserDeleted(user_id=str(user_id)))
            return "deleted.user_deleted", user_id
        case ProjectDeleted():
            envelope.project_deleted.CopyFrom(pb.ProjectDeleted())
            return "deleted.project_deleted", project_id


@dataclass(slots=True, kw_only=True)
class Nudges:
    """Tells others that logs have grown, and how far; waited for by nobody."""

    bus: Bus
    watchers: Watchers
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]
    _grown: dict[tuple[ProjectId, SessionId], Grown] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def appended(self, project_id: ProjectId, session_id: SessionId, grown: Grown) -> None:
        """Note that a log has grown; what is not told yet is told as one."""
        self.watchers.wake(session_id)
        self._grown[project_id, session_id] = grown
        self._news.set()

    def forget(self, project_id: ProjectId, session_id: SessionId) -> None:
        """Tell nothing more of a log that is gone: what follows its end would never be purged."""
        self._grown.pop((project_id, session_id), None)

    async def run(self) -> None:
        """Tell what is noted, for as long as the caller lives."""
        await self.bus.ensure_stream("session")
        while True:
            await self._news.wait()
            self._news.clear()
            noted = list(self._grown.items())
            for start in range(0, len(noted), AT_ONCE):
                await self._tell(noted[start : start + AT_ONCE])
            if self._grown:  # they grew meanwhile, or NATS was away
                self._news.set()
            await asyncio.sleep(GATHER_SECONDS)

    async def _tell(self, noted: Sequence[tuple[tuple[ProjectId, SessionId], Grown]]) -> None:
        heard = await asyncio.gather(*(self._nudge(*log, grown) for log, grown in noted))
        for (log, grown), one in zip(noted, heard, strict=True):
            if one and self._grown.get(log) == grown:
                del self._grown[log]

    async def _nudge(self, project_id: ProjectId, session_id: SessionId, grown: Grown) -> bool:
        event = pb.SessionEvent(
            id=str(self.new_id()), project_id=str(project_id), occurred_at=_stamp(self.now())
        )
        event.message_stored.session_id = str(session_id)
        event.message_stored.sequence = grown.last_sequence
        event.message_stored.disable_task_tracking = not grown.tracked
        subject = self.bus.subject("session", "message_stored", project_id, session_id)
        return await self.bus.nudge(subject, event.SerializeToString(), trace=grown.trace)


_Envelope: TypeAlias = disk.DiskEvent | observer.ObserverEvent | space.SpaceEvent
_ENVELOPES: dict[str, Callable[[bytes], _Envelope]] = {
    "disk": disk.DiskEvent.FromString,
    "observer": observer.ObserverEvent.FromString,
    "space": space.SpaceEvent.FromString,
}


@dataclass(frozen=True, slots=True)
class Listener:
    """Deals with events: those of space, and our own that concern every process."""

    bus: Bus
    sessions: SessionApp
    deleting: DeletingApp
    watchers: Watchers

    async def listen_to_space(self) -> None:
        """Take spaces that are gone away from their sessions."""
        events = ["deleted.space_deleted"]
        await self.bus.listen("space", "session_of_space", events, self._on_space)

    async def _on_space(self, payload: bytes) -> None:
        event = space.SpaceEvent.FromString(payload)
        if event.HasField("space_deleted"):
            project_id = ProjectId(UUID(event.project_id))
            space_id = SpaceId(UUID(event.space_deleted.space_id))
            await self.sessions.disconnect_space(project_id, space_id)

    async def collect_receipts(self, service: str) -> None:
        """Hear from another service what it has forgotten."""
        parse = _ENVELOPES[service]

        async def handle(payload: bytes) -> None:
            event = parse(payload)
            project_id = ProjectId(UUID(event.project_id))
            if event.HasField("user_forgotten"):
                user_id = UUID(event.user_forgotten.user_id)
                await self.deleting.note_receipt(project_id, user_id, service)
            elif event.HasField("project_forgotten"):
                await self.deleting.note_receipt(project_id, project_id, service)

        events = ["user_forgotten", "project_forgotten"]
        await self.bus.listen(service, f"session_receipts_{service}", events, handle)

    async def purge_deleted(self) -> None:
        """Remove what the stream still holds of deleted sessions."""
        await self.bus.listen("session", "session_purge", [SESSION_DELETED], self._on_deleted)

    async def _on_deleted(self, payload: bytes) -> None:
        event = pb.SessionEvent.FromString(payload)
        project_id = ProjectId(UUID(event.project_id))
        await self.bus.purge("session", project_id, event.session_deleted.session_id)

    async def follow_logs(self) -> None:
        """Wake the watchers of this process when another one has stored a message."""
        await self.bus.overhear("session", "message_stored", self._on_stored)

    def _on_stored(self, payload: bytes) -> None:
        event = pb.SessionEvent.FromString(payload)
        self.watchers.wake(SessionId(UUID(event.message_stored.session_id)))


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
