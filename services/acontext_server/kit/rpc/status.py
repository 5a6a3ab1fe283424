"""Our errors as gRPC statuses with details: one ErrorInfo, and the fields of a bad request."""

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from acontext_server.kit.errors import Kind, ServiceError

CODES = {kind: grpc.StatusCode[kind] for kind in Kind}
DETAILS_KEY = "grpc-status-details-bin"


def details_of(error: ServiceError, service: str) -> bytes:
    """Serialise the google.rpc.Status of an error, as `grpc-status-details-bin` carries it."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=f"acontext.{service}", metadata=error.metadata
    )
    details = [_packed(info)]
    if error.violations:
        request = error_details_pb2.BadRequest()
        for violation in error.violations:
            request.field_violations.add(field=violation.field, description=violation.description)
        details.append(_packed(request))
    code: int = CODES[error.kind].value[0]
    status = status_pb2.Status(code=code, message=error.message, details=details)
    serialised: bytes = status.SerializeToString()
    return serialised


def _packed(
    message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest,
) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
