"""What the verbs need of the room that knows events."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import Event

Announce: TypeAlias = Callable[[Tx, ProjectId, Event], Awaitable[None]]
"""Writes a fact into the outbox of a transaction."""
