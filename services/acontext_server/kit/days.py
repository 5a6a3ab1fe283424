"""Calendar days in a caller's time zone, for figures that are counted per day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from acontext_server.kit.errors import InvalidRequest

DEFAULT_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Some days in a row, the last of which is today."""

    time_zone: str
    since: datetime
    """The first moment of the first day."""
    dates: Sequence[str]
    """`2026-11-22`, oldest first."""


def last_days(count: int, *, time_zone: str, now: datetime) -> Days:
    """Give the days up to now; raise `InvalidRequest` for a time zone that nobody knows."""
    midnight = now.astimezone(_zone(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=count - 1)
    dates = [(first.date() + timedelta(days=day)).isoformat() for day in range(count)]
    return Days(time_zone=time_zone, since=first, dates=dates)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest.of("time_zone", "must be an IANA name such as Europe/Oslo") from error
