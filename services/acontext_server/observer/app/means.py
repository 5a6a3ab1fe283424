"""What every verb works with."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from acontext_server.kit.database import Database, Tx
from acontext_server.observer.domain import Clock, Event, NewId

Announce = Callable[[Tx, Sequence[Event]], Awaitable[None]]
"""Writes events in a transaction, to be published after it."""

DUE = "due"
"""The bell that tells workers of a session to observe."""

Ring = Callable[[float], Awaitable[None]]
"""Waits until the bell rings, or for so many seconds."""


class Bell:
    """Wakes those in this process who wait; who misses a ring looks again by itself soon."""

    def __init__(self) -> None:
        self._listening: dict[object, set[asyncio.Event]] = {}

    def ring(self, key: object) -> None:
        """Wake everybody who listens to a key."""
        for event in self._listening.get(key, ()):
            event.set()

    @contextmanager
    def listening(self, key: object) -> Iterator[Ring]:
        """Hear every ring from now on."""
        event = asyncio.Event()
        self._listening.setdefault(key, set()).add(event)
        try:
            yield lambda seconds: _rung(event, seconds)
        finally:
            self._listening[key].discard(event)
            if not self._listening[key]:
                del self._listening[key]


async def _rung(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    event.clear()


@dataclass(frozen=True, kw_only=True)
class Means:
    """Database, events, clock and ids, and the bell that verbs wake each other with."""

    database: Database
    announce: Announce
    now: Clock
    new_id: NewId
    bell: Bell = field(default_factory=Bell)
