"""What happens around every RPC: telemetry, authentication, parsing, validation, errors.

Requests are parsed here and not by grpc, so that bytes which are no message are the caller's
mistake with a clear sentence, and not our INTERNAL.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

import grpc
import protovalidate
import structlog
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message
from grpc import aio

from acontext.options.v1 import CALLER_ANYONE, CALLER_OPERATOR, CALLER_PROJECT, CALLER_SERVICE
from acontext.options.v1 import caller as caller_option
from acontext_server.kit.auth import PROJECT_HEADER, Caller, CallerKind, Keys, Signer, set_caller
from acontext_server.kit.errors import (
    FieldViolation,
    InvalidRequest,
    Kind,
    PermissionDenied,
    ServiceError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from acontext_server.kit.ids import uuid7
from acontext_server.kit.rpc.clients import MAX_MESSAGE_BYTES
from acontext_server.kit.rpc.nulls import MARKER_KEY, mark_nulls
from acontext_server.kit.rpc.status import CODES, DETAILS_KEY, details_of
from acontext_server.kit.rpc.watching import Watch

log = structlog.get_logger()

REQUEST_ID_KEY = "x-request-id"
STATUS_KEY = "x-acontext-status"
"""Initial metadata that tells the gateway an HTTP status of its own."""

Context = aio.ServicerContext[Any, Any]
if TYPE_CHECKING:  # generic in its stubs only
    RpcHandler = grpc.RpcMethodHandler[Any, Any]
else:
    RpcHandler = grpc.RpcMethodHandler


@dataclass(frozen=True, slots=True)
class _Method:
    name: str
    callers: int


class Internal(ServiceError):
    """A mistake of ours; the log has the request id."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "something went wrong on our side; the log has this request id",
            metadata={"request_id": request_id},
        )


Metadata = Mapping[str, str]
"""What came with a call; the first value of each key."""


def metadata_of(context: Context, key: str) -> str | None:
    """Return one value of a call's metadata."""
    return _metadata(context).get(key)


def _metadata(context: Context) -> Metadata:
    # grpc makes all of it anew whenever it is asked for, so each call asks once.
    found: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        found.setdefault(name, value if isinstance(value, str) else value.decode("latin-1"))
    return found


class Interceptor(aio.ServerInterceptor):
    """Wraps every RPC of our own services; health and reflection pass untouched."""

    def __init__(
        self, service: str, *, keys: Keys, signer: Signer, admin_key: str, is_counted: bool = False
    ) -> None:
        self._service = service
        self._watch = Watch(service, counts=is_counted)
        self._keys = keys
        self._signer = signer
        self._admin_key = admin_key
        self._wrapped: dict[str, RpcHandler] = {}
        self._running: set[asyncio.Task[Any]] = set()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[RpcHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> RpcHandler | None:
        """Wrap the behaviour of an RPC of ours."""
        path = handler_call_details.method
        if path not in self._wrapped:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None  # anybody may ask for any path: nothing is kept of it
            self._wrapped[path] = self._wrap(path, handler)
        return self._wrapped[path]

    def _wrap(self, path: str, handler: RpcHandler) -> RpcHandler:
        method = _described(path)
        if method is None:
            return handler
        around = _Around(self, method, handler)
        makers: dict[tuple[bool, bool], Any] = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        make = makers[handler.request_streaming, handler.response_streaming]
        behaviour: Any = around.stream if handler.response_streaming else around.unary
        if self._watch.is_on():
            watched = self._watch.stream if handler.response_streaming else self._watch.unary
            behaviour = watched(path, behaviour)
        return cast("RpcHandler", make(behaviour))

    async def enter(self, method: _Method, metadata: Metadata) -> None:
        """Bind what logs carry, and find out who calls."""
        self._note_running()
        request_id = metadata.get(REQUEST_ID_KEY) or str(uuid7())
        structlog.contextvars.bind_contextvars(request_id=request_id, method=method.name)
        set_caller(await self._authenticated(method, metadata))

    def _note_running(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # grpc serves every RPC in a task of its own
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Wait for RPCs that a stopped server has cancelled to give back what they hold."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _authenticated(self, method: _Method, metadata: Metadata) -> Caller:
        if method.callers == CALLER_ANYONE:
            return Caller(kind=CallerKind.ANYONE)
        signed = metadata.get(PROJECT_HEADER)
        if signed is not None:
            project = self._signer.project_of(signed)
            return Caller(kind=CallerKind.SERVICE, project=project)
        if method.callers == CALLER_SERVICE:
            raise PermissionDenied(f"{method.name} is for services only")
        scheme, _, secret = metadata.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated
        if self._admin_key and secret == self._admin_key:
            return Caller(kind=CallerKind.OPERATOR)
        project = await self._keys.project_of(secret)
        if method.callers == CALLER_OPERATOR:
            raise PermissionDenied(f"{method.name} is for the operator only")
        return Caller(kind=CallerKind.PROJECT, project=project)

    def failure(self, error: BaseException) -> ServiceError:
        """Say what a caller is told of an exception; cancelled by him, he is told nothing."""
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise error
            return Unavailable("another service")  # what we waited for was cancelled, not we
        if isinstance(error, ServiceError):
            return error
        if isinstance(error, aio.AioRpcError) and error.code() in _AWAY:
            return Unavailable("another service")
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        log.exception("rpc_failed", service=self._service)
        return Internal(request_id)

    async def abort(
        self, context: Context, error: ServiceError, *, answered: bool = False
    ) -> NoReturn:
        """End the RPC with an error; what was answered has taken the initial metadata along."""
        if error.http_status is not None and not answered:
            status = (STATUS_KEY, str(error.http_status))
            await context.send_initial_metadata((status, *error.http_headers))
        await context.abort(
            CODES[error.kind],
            error.message,
            ((DETAILS_KEY, details_of(error, self._service)),),
        )


@dataclass(frozen=True, slots=True)
class _Around:
    """One RPC's behaviour, from bytes to bytes."""

    interceptor: Interceptor
    method: _Method
    handler: RpcHandler

    async def unary(self, request: Any, context: Context) -> bytes:
        # The generated types know neither streams of bytes nor asynchronous behaviours.
        behaviour: Any = self.handler.stream_unary or self.handler.unary_unary
        try:
            metadata = _metadata(context)
            await self.interceptor.enter(self.method, metadata)
            response = await behaviour(self._taken(request, context), context)
            return _serialised(response, metadata)
        except (Exception, asyncio.CancelledError) as error:
            failure = self.interceptor.failure(error)
        return await self.interceptor.abort(context, failure)

    async def stream(self, request: Any, context: Context) -> AsyncIterator[bytes]:
        behaviour: Any = self.handler.stream_stream or self.handler.unary_stream
        answered = False
        try:
            metadata = _metadata(context)
            await self.interceptor.enter(self.method, metadata)
            async for response in behaviour(self._taken(request, context), context):
                data = _serialised(response, metadata)
                answered = True
                yield data
            return
        except (Exception, asyncio.CancelledError) as error:
            failure = self.interceptor.failure(error)
        await self.interceptor.abort(context, failure, answered=answered)

    def _taken(self, request: Any, context: Context) -> Any:
        if self.handler.request_streaming:
            return self._pieces(context)
        message = self._parsed(request)
        _validate(message)
        return message

    async def _pieces(self, context: Context) -> AsyncIterator[Message]:
        # grpc's own iterator is a generator around the same, and costs a tenth more for each piece.
        # Both may end alike for a caller who cancelled: then grpc cancels this RPC's task at the
        # next thing that it waits for, so that nothing is kept of half a stream.
        while (piece := await context.read()) is not aio.EOF:
            yield self._parsed(piece)

    def _parsed(self, data: bytes) -> Message:
        parse = cast("Callable[[bytes], Message]", self.handler.request_deserializer)
        try:
            return parse(data)
        except (DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(
                "the request is no message of this method: not UTF-8, or nested too deeply"
            ) from error


_AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def _described(path: str) -> _Method | None:
    service, _, name = path.strip("/").partition("/")
    if not service.startswith("acontext."):
        return None
    try:
        method = descriptor_pool.Default().FindServiceByName(service).methods_by_name[name]
    except KeyError:
        return None
    callers = method.GetOptions().Extensions[caller_option] or CALLER_PROJECT
    return _Method(name, callers)


def _validate(message: Message) -> None:
    violations = protovalidate.collect_violations(message)
    if violations:
        fields = [_field_violation(violation.proto) for violation in violations]
        sentence = "; ".join(f"{one.field}: {one.description}" for one in fields)
        raise InvalidRequest(sentence, violations=fields)


def _field_violation(violation: Any) -> FieldViolation:
    elements: Iterable[Any] = violation.field.elements if violation.field else ()
    path = ""
    for element in elements:
        path += f".{element.field_name}"
        index = re.search(r"index[^0-9]*([0-9]+)", repr(element.subscript or ""))
        path += f"[{index[1]}]" if index else ""
    return FieldViolation(field=path.strip(".") or "request", description=violation.message)


def _serialised(response: Message, metadata: Metadata) -> bytes:
    marker = metadata.get(MARKER_KEY)
    if marker is not None:
        mark_nulls(response, marker)
    data = response.SerializeToString()
    if len(data) > MAX_MESSAGE_BYTES:
        raise TooLarge("the answer", MAX_MESSAGE_BYTES)
    return data


__all__ = ["Interceptor", "Internal", "Kind", "metadata_of"]
