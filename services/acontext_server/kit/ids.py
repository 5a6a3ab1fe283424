"""Identifiers: UUIDv7 (RFC 9562), so that ids sort by the time at which they were made."""

import os
import re
import threading
import time
from datetime import datetime
from typing import NewType
from uuid import UUID

ProjectId = NewType("ProjectId", UUID)
"""The tenant that everything belongs to."""

NOBODY = ProjectId(UUID(int=0))
"""Stands where a service speaks for itself and not for a project."""

HEX = re.compile("[0-9a-f]{1,32}")

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """Make an id that is greater than every one that this process made before.

    48 bits of milliseconds, then a 12-bit counter that continues into the next millisecond when
    it overflows, then 62 random bits.
    """
    global _last
    with _lock:
        now = time.time_ns() // 1_000_000 << 12
        _last = stamp = now if now > _last else _last + 1
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random)


def first_id_of(moment: datetime) -> UUID:
    """Give the least id that can be made at a time; ids of before are less."""
    milliseconds = max(int(moment.timestamp() * 1_000), 0)
    return UUID(int=milliseconds << 80)


def ids_beginning_with(text: str) -> tuple[UUID, UUID] | None:
    """Give the first and the last id that begin with some digits; None if none can."""
    digits = text.lower().replace("-", "")
    if not HEX.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
