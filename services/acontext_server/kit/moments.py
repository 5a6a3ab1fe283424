"""Times as requests carry them."""

from datetime import UTC, datetime

from google.protobuf.message import Message

from acontext_server.kit.errors import InvalidRequest


def read_moment(request: Message, field: str) -> datetime | None:
    """Read a timestamp of a request; None if it is unset."""
    if not request.HasField(field):
        return None
    try:
        moment: datetime = getattr(request, field).ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest.of(field, "must be a time between the years 1 and 9999") from error
    return moment
