"""Watching sessions: who waits for news of which, and how they are woken."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from acontext_server.kit.ids import ProjectId
from acontext_server.session.app.reading import ReadingApp
from acontext_server.session.domain import Message, SessionId

POLL_SECONDS = 2.0
"""How long a lost nudge can delay a watcher."""


@dataclass(slots=True)
class Watchers:
    """Those who wait for news in this process."""

    rounds: int = 0
    """How often somebody was woken; what was read before may lack the latest news."""
    _waiting: dict[UUID, set[asyncio.Event]] = field(default_factory=dict)

    def wake(self, subject: UUID) -> None:
        """Wake all who wait for news of a session, or whatever else has an id."""
        self.rounds += 1
        for event in self._waiting.get(subject, ()):
            event.set()

    def join(self, subject: UUID) -> asyncio.Event:
        """Begin to wait; the event is set at every piece of news."""
        event = asyncio.Event()
        self._waiting.setdefault(subject, set()).add(event)
        return event

    def leave(self, subject: UUID, event: asyncio.Event) -> None:
        """Wait no longer."""
        waiting = self._waiting[subject]
        waiting.discard(event)
        if not waiting:
            del self._waiting[subject]

    async def news(self, event: asyncio.Event, seconds: float) -> None:
        """Wait for news, but not for longer than this: a nudge may be lost."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        event.clear()


@dataclass(slots=True)
class _Read:
    """A stretch that several watchers wait for."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: Sequence[Message] | None = None
    readers: int = 0


@dataclass(frozen=True, slots=True)
class WatchingApp:
    """Follows logs as they grow."""

    reading: ReadingApp
    watchers: Watchers
    _reads: dict[tuple[ProjectId, SessionId, int, int], _Read] = field(default_factory=dict)

    async def watch_session(
        self, project_id: ProjectId, session_id: SessionId, *, after: int
    ) -> AsyncGenerator[Sequence[Message], None]:
        """Give every message after a sequence, then each new one; SessionNotFound ends it."""
        news = self.watchers.join(session_id)
        try:
            while True:
                while found := await self._read_after(project_id, session_id, after):
                    yield found
                    after = found[-1].sequence
                await self.watchers.news(news, POLL_SECONDS)
        finally:
            self.watchers.leave(session_id, news)

    async def _read_after(
        self, project_id: ProjectId, session_id: SessionId, after: int
    ) -> Sequence[Message]:
        """Read a stretch once for all who are woken together and stand at the same place."""
        key = (project_id, session_id, after, self.watchers.rounds)
        read = self._reads.setdefault(key, _Read())
        read.readers += 1
        try:
            # The first may hang up while it reads; then the next one reads.
            async with read.turn:
                if read.found is None:
                    read.found = await self.reading.read_after(project_id, session_id, after)
            return read.found
        finally:
            read.readers -= 1
            if not read.readers:
                del self._reads[key]
