"""Watching sessions: who waits for news of which, and how they are woken."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from acontext_server.kit.ids import ProjectId
from acontext_server.session.app.messages import MessageApp
from acontext_server.session.domain import Message, SessionId

POLL_SECONDS = 2.0
"""How long a lost nudge can delay a watcher."""


@dataclass(slots=True)
class Watchers:
    """Those who wait for news in this process."""

    _waiting: dict[SessionId, set[asyncio.Event]] = field(default_factory=dict)

    def wake(self, session_id: SessionId) -> None:
        """Wake all who wait for news of a session."""
        for event in self._waiting.get(session_id, ()):
            event.set()

    def join(self, session_id: SessionId) -> asyncio.Event:
        """Begin to wait; the event is set at every piece of news."""
        event = asyncio.Event()
        self._waiting.setdefault(session_id, set()).add(event)
        return event

    def leave(self, session_id: SessionId, event: asyncio.Event) -> None:
        """Wait no longer."""
        waiting = self._waiting[session_id]
        waiting.discard(event)
        if not waiting:
            del self._waiting[session_id]


@dataclass(frozen=True, slots=True)
class WatchingApp:
    """Follows logs as they grow."""

    messages: MessageApp
    watchers: Watchers

    async def watch_session(
        self, project_id: ProjectId, session_id: SessionId, *, after: int
    ) -> AsyncGenerator[Sequence[Message], None]:
        """Give every message after a sequence, then each new one; SessionNotFound ends it."""
        news = self.watchers.join(session_id)
        try:
            while True:
                news.clear()
                while found := await self.messages.read_after(project_id, session_id, after):
                    yield found
                    after = found[-1].sequence
                await _until(news)
        finally:
            self.watchers.leave(session_id, news)


async def _until(news: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await news.wait()
    except TimeoutError:
        pass
