"""What can go wrong for a caller, and the reasons that every service shares.

Each service's domain ends with its own small tree of these. They are turned into a gRPC status in
exactly one place, the interceptor in `kit/rpc`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The canonical gRPC codes that our errors use."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    ABORTED = "ABORTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One field that breaks a rule."""

    field: str
    """Path in the request, such as `blob.content[2].type`."""
    description: str


class ServiceError(Exception):
    """Something that a caller is told: a sentence, a stable reason, ids and limits."""

    kind: ClassVar[Kind] = Kind.INTERNAL
    reason: ClassVar[str] = "INTERNAL"
    http_status: ClassVar[int | None] = None
    """Where HTTP has a better word than the one its gRPC code maps to."""
    http_headers: Sequence[tuple[str, str]] = ()
    """What goes with that word."""

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)


class InvalidRequest(ServiceError):
    """The request breaks a rule of the contract."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_REQUEST"

    @classmethod
    def of(cls, field: str, description: str) -> "InvalidRequest":
        """Name one field and the rule that it breaks."""
        violation = FieldViolation(field=field, description=description)
        return cls(f"{field}: {description}", violations=[violation])


class Unauthenticated(ServiceError):
    """There is no credential, or it opens nothing."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class PermissionDenied(ServiceError):
    """The credential is good, but not for this."""

    kind = Kind.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"


class Unavailable(ServiceError):
    """An engine or another service does not answer."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"

    def __init__(self, engine: str) -> None:
        super().__init__(f"{engine} does not answer; try again", metadata={"engine": engine})


class InvalidCursor(ServiceError):
    """The cursor was not made for this list and these filters."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_CURSOR"

    def __init__(self) -> None:
        super().__init__(
            "cursor: must be the next_cursor of a page of this same list",
            violations=[FieldViolation(field="cursor", description="was not made for this list")],
        )


class RequestIdReused(ServiceError):
    """The same request_id came with another request."""

    kind = Kind.INVALID_ARGUMENT
    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "request_id: came with another request before",
            metadata={"request_id": request_id},
            violations=[FieldViolation(field="request_id", description="came before")],
        )


class Conflict(ServiceError):
    """Two writers met; the same call can be tried again."""

    kind = Kind.ABORTED
    reason = "CONFLICT"

    def __init__(self) -> None:
        super().__init__("another writer was faster; try again")


class TooLarge(ServiceError):
    """The body or a file is larger than its limit."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "TOO_LARGE"
    http_status = 413

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(
            f"{what} is larger than {limit} bytes", metadata={"limit_bytes": str(limit)}
        )
