"""The verbs of space, by noun."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.space.domain.events import Event

Announce = Callable[[Tx, ProjectId, list[Event]], Awaitable[None]]
"""Writes events into the outbox of a transaction."""
Now = Callable[[], datetime]
NewId = Callable[[], UUID]


@dataclass(frozen=True)
class Listing:
    """Which page of a list is asked for."""

    limit: int = 20
    cursor: str | None = None
    descending: bool = False


@dataclass(frozen=True)
class RequestKey:
    """What makes a creation repeatable."""

    method: str
    request_id: UUID
    digest: bytes
