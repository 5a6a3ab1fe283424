"""Everything that the client raises: one tree, a class for each reason that the services give.

    AcontextError
      TransportError          nobody answered, or the line broke
        DeadlineExceeded      no answer within the time-out
      APIError                the services refused
        InvalidRequest …      by what is wrong, each with the reasons below it

A class is named after its reason: SESSION_NOT_FOUND raises SessionNotFound. A reason that this
version does not know raises the class of its kind, with the reason in `error.reason`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc


class AcontextError(Exception):
    """Something went wrong; every other error here is one of these."""


class TransportError(AcontextError):
    """Nobody answered, or the line broke before the answer came."""


class DeadlineExceeded(TransportError):
    """The answer did not come within the time-out; the call may have had its effect."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field that breaks a rule of the contract."""

    field: str
    """Its path in the request, such as `configs` or `rename[0].new_name`."""
    description: str


class APIError(AcontextError):
    """The services refused; `reason`, `field` and `request_id` say why and where."""

    def __init__(
        self,
        *,
        status_code: int,
        code: int | None = None,
        message: str | None = None,
        error: str | None = None,
        payload: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or error or f"status {status_code}")
        self.status_code = status_code
        """The HTTP status that JSON callers see."""
        self.code = status_code if code is None else code
        self.message = message
        """An English sentence for a developer."""
        self.error = error
        self.payload = payload
        self.metadata = dict(metadata or {})
        """Ids and limits that belong to the reason."""
        self.violations = list(violations)
        """Every field that breaks a rule."""
        self.request_id = request_id
        """What the services' logs know this call by."""
        self.retry_after = retry_after
        """Seconds after which the services ask to be called again."""

    @property
    def reason(self) -> str | None:
        """The stable word for what went wrong, such as `SESSION_NOT_FOUND`."""
        return self.error

    @property
    def field(self) -> str | None:
        """The path of the field that is wrong, if one is."""
        if self.violations:
            return self.violations[0].field
        return self.metadata.get("field")

    def __str__(self) -> str:
        told = [f"{self.status_code} {self.error or 'error'}: {self.message or ''}".rstrip(": ")]
        if self.request_id:
            told.append(f"(request {self.request_id})")
        return " ".join(told)


class InvalidRequest(APIError):
    """The request breaks a rule; `violations` names the fields."""


class InvalidCursor(InvalidRequest):
    """The cursor was not made for this list and these filters."""


class RequestIdReused(InvalidRequest):
    """The same request id came with another request."""


class InvalidMessage(InvalidRequest):
    """The message is none of its format; `field` names the place."""


class MissingFile(InvalidRequest):
    """A part names a file that was not given."""


class InvalidPath(InvalidRequest):
    """The path of an artifact is none."""


class InvalidMeta(InvalidRequest):
    """The meta of an artifact is no JSON object, or has a key of ours."""


class InvalidPattern(InvalidRequest):
    """The pattern is no regular expression, or takes too long."""


class InvalidUpload(InvalidRequest):
    """The upload is broken."""


class InvalidBlock(InvalidRequest):
    """The block cannot stand there, or its title or props are none of its type."""


class Unauthenticated(APIError):
    """No key, or one that opens nothing."""


class PermissionDenied(APIError):
    """The key is good, but not for this call."""


class NotFound(APIError):
    """What was named does not exist in the key's project."""


class ProjectNotFound(NotFound):
    """No project has this id, or it is another's."""


class ApiKeyNotFound(NotFound):
    """No key of the project has this id."""


class UserNotFound(NotFound):
    """No user of the project has this identifier."""


class SessionNotFound(NotFound):
    """No session of the project has this id."""


class TaskNotFound(NotFound):
    """No task of the project has this id."""


class RunNotFound(NotFound):
    """No run of the project has this id."""


class DiskNotFound(NotFound):
    """No disk of the project has this id."""


class ArtifactNotFound(NotFound):
    """The disk has no artifact there."""


class BlobNotFound(NotFound):
    """The public URL was not made by Acontext, or has expired."""


class SpaceNotFound(NotFound):
    """No space of the project has this id."""


class BlockNotFound(NotFound):
    """The space has no block with this id."""


class SkillNotFound(NotFound):
    """No skill of the project has this id."""


class ConfirmationNotFound(NotFound):
    """No confirmation with this id waits in the space."""


class Conflict(APIError):
    """Two writers met; the same call can be tried again."""


class FailedPrecondition(APIError):
    """The call is good, but not in the state that things are in."""


class TransitionRefused(FailedPrecondition):
    """A task does not go from its status to that one."""


class SessionNotTracked(FailedPrecondition):
    """The session is not observed: task tracking is off for it or its project."""


class ModelRequired(FailedPrecondition):
    """The call needs a model, and none is set."""


class EmbeddingSpaceMismatch(FailedPrecondition):
    """The vectors were made by another embedder; reindex."""


class OutOfRange(APIError):
    """What was asked for lies beyond the end."""


class RangeNotSatisfiable(OutOfRange):
    """The asked bytes lie beyond the end of the artifact."""


class ResourceExhausted(APIError):
    """A limit is reached."""


class TokenBudgetUsedUp(ResourceExhausted):
    """Models pause: the project's token budget of this month is used up."""


class TooLarge(ResourceExhausted):
    """The message or file is larger than the limit."""


class Unavailable(APIError):
    """An engine or a service does not answer; the same call can be tried again."""


class DeletionInProgress(Unavailable):
    """A deletion goes on after the answer; `metadata` says who is still at it."""


class Internal(APIError):
    """A mistake of the services'; their log has the request id."""


_KINDS: Mapping[grpc.StatusCode, tuple[type[APIError], int]] = {
    grpc.StatusCode.INVALID_ARGUMENT: (InvalidRequest, 400),
    grpc.StatusCode.UNAUTHENTICATED: (Unauthenticated, 401),
    grpc.StatusCode.PERMISSION_DENIED: (PermissionDenied, 403),
    grpc.StatusCode.NOT_FOUND: (NotFound, 404),
    grpc.StatusCode.ALREADY_EXISTS: (Conflict, 409),
    grpc.StatusCode.ABORTED: (Conflict, 409),
    grpc.StatusCode.FAILED_PRECONDITION: (FailedPrecondition, 400),
    grpc.StatusCode.OUT_OF_RANGE: (OutOfRange, 400),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (ResourceExhausted, 429),
    grpc.StatusCode.UNAVAILABLE: (Unavailable, 503),
    grpc.StatusCode.UNIMPLEMENTED: (APIError, 501),
    grpc.StatusCode.INTERNAL: (Internal, 500),
    grpc.StatusCode.DATA_LOSS: (Internal, 500),
}
_OWN_STATUS = {TooLarge: 413, RangeNotSatisfiable: 416}
_BROKEN_LINE = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN,
}
"""What gRPC and the gateway make of a line that broke; the services always add their reason."""


def error_of(failure: grpc.RpcError) -> AcontextError:
    """Make the error of a failed call."""
    call: Any = failure  # every RpcError of a call is a Call too, which its type does not say
    code: grpc.StatusCode = call.code()
    headers = _metadata(call)
    details = headers.get("grpc-status-details-bin")
    told = call.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineExceeded("no answer within the time-out")
    if details is None and code in _BROKEN_LINE:
        return TransportError(told or code.name)
    return _refusal(code, told, details, headers.get("x-request-id"))


def _metadata(call: Any) -> Mapping[str, Any]:
    # A call that was refused at once has its headers in the trailing metadata.
    return dict([*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())])


def _refusal(
    code: grpc.StatusCode, message: str, details: bytes | None, request_id: str | None
) -> APIError:
    told = _details_of(details or b"")
    kind, status = _KINDS.get(code, (Internal, 500))
    error = _classes().get(told.reason or "", kind)
    return error(
        status_code=_OWN_STATUS.get(error, status),
        message=message,
        error=told.reason,
        metadata=told.metadata,
        violations=told.violations,
        request_id=told.metadata.get("request_id", request_id),
        retry_after=told.retry_after,
    )


@dataclass(frozen=True, slots=True)
class _Details:
    reason: str | None
    metadata: Mapping[str, str]
    violations: Sequence[FieldViolation]
    retry_after: float | None


def _details_of(serialised: bytes) -> _Details:
    from google.rpc import error_details_pb2, status_pb2

    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    seconds: float | None = None
    for detail in status_pb2.Status.FromString(serialised).details:
        if detail.Unpack(retry):
            seconds = retry.retry_delay.ToTimedelta().total_seconds()
        else:
            detail.Unpack(info) or detail.Unpack(request)
    violations = [FieldViolation(one.field, one.description) for one in request.field_violations]
    return _Details(info.reason or None, dict(info.metadata), violations, seconds)


def reason_of(error: type[AcontextError]) -> str:
    """Give the reason that a class stands for: SessionNotFound, SESSION_NOT_FOUND."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).upper()


def _classes() -> Mapping[str, type[APIError]]:
    found: dict[str, type[APIError]] = {}
    waiting = [APIError]
    while waiting:
        error = waiting.pop()
        found[reason_of(error)] = error
        waiting += error.__subclasses__()
    return found
