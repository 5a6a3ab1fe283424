"""Cursors: opaque positions in one list, sealed so that only what we made is taken."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from acontext_server.kit.errors import InvalidCursor

T = TypeVar("T")
SEAL_BYTES = 8


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, and where the next ones begin."""

    items: Sequence[T]
    next_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether something lies beyond."""
        return self.next_cursor is not None


class Cursors:
    """Makes cursors and reads them back."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encode(self, scope: str, *keys: str | int) -> str:
        """Seal a position in a list; scope names the list with all its filters."""
        position = json.dumps(keys).encode()
        return base64.urlsafe_b64encode(self._seal(scope, position) + position).decode()

    def decode(self, scope: str, cursor: str) -> tuple[str | int, ...]:
        """Open a position; InvalidCursor if we did not make it for this very list."""
        try:
            data = base64.urlsafe_b64decode(cursor.encode())
        except (binascii.Error, ValueError) as error:
            raise InvalidCursor from error
        seal, position = data[:SEAL_BYTES], data[SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(scope, position)):
            raise InvalidCursor
        return tuple(json.loads(position))

    def encode_time(self, scope: str, created_at: datetime, row_id: UUID) -> str:
        """Seal a position in a list that is ordered by `(created_at, id)`."""
        return self.encode(scope, created_at.astimezone(UTC).isoformat(), str(row_id))

    def decode_time(self, scope: str, cursor: str | None) -> tuple[datetime, UUID] | None:
        """Open a position in a list ordered by `(created_at, id)`; no cursor, no position."""
        if not cursor:
            return None
        created_at, row_id = self.decode(scope, cursor)
        return datetime.fromisoformat(str(created_at)), UUID(str(row_id))

    def page(
        self, scope: str, rows: Sequence[T], limit: int, key: Callable[[T], tuple[datetime, UUID]]
    ) -> Page[T]:
        """Make a page of up to `limit + 1` rows; the last one only tells that there are more."""
        items = rows[:limit]
        more = len(rows) > limit
        return Page(items, self.encode_time(scope, *key(items[-1])) if more else None)

    def _seal(self, scope: str, position: bytes) -> bytes:
        text = scope.encode() + b"\0" + position
        return hmac.digest(self._secret, text, hashlib.sha256)[:SEAL_BYTES]


def by_time(
    statement: Select[*tuple[Any, ...]],
    created_at: InstrumentedAttribute[datetime] | ColumnElement[datetime],
    row_id: InstrumentedAttribute[UUID] | ColumnElement[UUID],
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    """Order a statement by `(created_at, id)`, beginning strictly beyond a position.

    It asks for one row more than the limit, which `Cursors.page` takes off again.
    """
    if after is not None:
        # Compared as a row, an index on both leads to the position at any depth.
        place, position = tuple_(created_at, row_id), tuple_(*after)
        statement = statement.where(place < position if descending else place > position)
    columns = (created_at.desc(), row_id.desc()) if descending else (created_at, row_id)
    return statement.order_by(*columns).limit(limit + 1)
