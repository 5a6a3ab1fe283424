"""Which part of a file a caller asked for."""

import re
from dataclasses import dataclass

from acontext_server.disk.domain import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some bytes of a file, not necessarily any."""

    offset: int
    length: int
    size: int
    """Of the whole file."""

    @property
    def content_range(self) -> str:
        """What HTTP's Content-Range says of a part."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{self.size}"


def whole(size: int) -> Span:
    """Span all of a file."""
    return Span(offset=0, length=size, size=size)


def span_of(size: int, *, offset: int, length: int | None) -> Span:
    """Span a part; one that begins beyond the end is not satisfiable."""
    if offset > 0 and offset >= size:
        raise RangeNotSatisfiable(size)
    left = size - offset
    return Span(offset=offset, length=left if length is None else min(length, left), size=size)


def span_of_header(header: str, size: int) -> Span | None:
    """Read HTTP's Range header as RFC 9110 has it.

    None for several ranges at once and for what is no range in bytes: a server ignores them.
    """
    asked = _ONE_RANGE.fullmatch(header)
    first, last = asked.groups() if asked else ("", "")
    if first and last and int(last) < int(first):
        return None
    if first:
        return _from(int(first), int(last) if last else None, size)
    return _suffix(int(last), size) if last else None


def _from(first: int, last: int | None, size: int) -> Span:
    if first >= size:
        raise RangeNotSatisfiable(size)
    return span_of(size, offset=first, length=None if last is None else last - first + 1)


def _suffix(count: int, size: int) -> Span:
    if count == 0 or size == 0:
        raise RangeNotSatisfiable(size)
    count = min(count, size)
    return span_of(size, offset=size - count, length=count)
