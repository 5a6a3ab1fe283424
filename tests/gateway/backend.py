"""Hand-made services behind a real Envoy: enough of each to see what the gateway does.

An RPC without an answer here is UNIMPLEMENTED, and its message is its path.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.gateway import build

if TYPE_CHECKING:
    Context = aio.ServicerContext[Any, Any]

FILE = b"0123456789" * 100_000
LONG_TEXT = "x" * 2**20
LARGEST_MESSAGE = 33 * 1024 * 1024


class Backend(grpc.GenericRpcHandler):
    """All four services in one server."""

    def __init__(self) -> None:
        self.metadata: dict[str, str] = {}
        """What came with the last call."""
        self.paths: list[str] = []
        """All calls, in order."""
        self._handlers = self._unary() | self._streams()

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Answer every path under `/acontext.`."""
        path = handler_call_details.method
        if path.startswith("/acontext."):
            self.paths.append(path)
        metadata = handler_call_details.invocation_metadata
        self.metadata = {key: str(value) for key, value in metadata}
        return self._handlers.get(path) or grpc.stream_stream_rpc_method_handler(
            _unimplemented(path)
        )

    def _unary(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        sessions, projects = (
            "/acontext.session.v1.SessionService",
            "/acontext.session.v1.ProjectService",
        )
        tasks, skills = "/acontext.observer.v1.TaskService", "/acontext.space.v1.SkillService"
        answers: dict[str, tuple[type[Message], Callable[..., object]]] = {
            f"{projects}/Ping": (session.PingRequest, self.ping),
            f"{sessions}/CreateSession": (session.CreateSessionRequest, self.create_session),
            f"{sessions}/GetSession": (session.GetSessionRequest, self.get_session),
            f"{sessions}/ListSessions": (session.ListSessionsRequest, self.list_sessions),
            f"{sessions}/DeleteSession": (session.DeleteSessionRequest, self.delete_session),
            f"{sessions}/StoreMessageJson": (session.StoreMessageJsonRequest, self.store_json),
            f"{sessions}/ListMessagesJson": (session.ListMessagesJsonRequest, self.list_messages),
            f"{tasks}/ListTasks": (observer.ListTasksRequest, self.list_tasks),
            f"{skills}/ResolveConfirmation": (space.ResolveConfirmationRequest, self.resolve),
            f"{skills}/ListToolNames": (space.ListToolNamesRequest, self.list_tool_names),
        }
        return {
            path: grpc.unary_unary_rpc_method_handler(
                answer,
                request_deserializer=request.FromString,
                response_serializer=lambda answer: answer.SerializeToString(),
            )
            for path, (request, answer) in answers.items()
        }

    def _streams(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        sessions, disks = "/acontext.session.v1.SessionService", "/acontext.disk.v1.DiskService"
        return {
            f"{sessions}/WatchSession": grpc.unary_stream_rpc_method_handler(
                self.watch_session,
                request_deserializer=session.WatchSessionRequest.FromString,
                response_serializer=session.WatchSessionResponse.SerializeToString,
            ),
            f"{sessions}/StoreMessages": grpc.stream_unary_rpc_method_handler(
                self.store_messages,
                request_deserializer=session.StoreMessagesRequest.FromString,
                response_serializer=session.StoreMessagesResponse.SerializeToString,
            ),
            f"{sessions}/StoreMessageMultipart": grpc.stream_unary_rpc_method_handler(
                self.store_multipart,
                request_deserializer=session.StoreMessageMultipartRequest.FromString,
                response_serializer=HttpBody.SerializeToString,
            ),
            f"{disks}/GetBlob": grpc.unary_stream_rpc_method_handler(
                self.get_blob,
                request_deserializer=disk.GetBlobRequest.FromString,
                response_serializer=disk.GetBlobResponse.SerializeToString,
            ),
        }

    async def ping(self, request: session.PingRequest, _: Context) -> session.PingResponse:
        """An answer that is its own envelope."""
        return session.PingResponse(code=0, msg="pong")

    async def create_session(
        self, request: session.CreateSessionRequest, _: Context
    ) -> session.CreateSessionResponse:
        """A session as it was asked for; what is null is marked, as the services do."""
        answer = session.Session(id="new", configs=request.configs)
        answer.configs.SetInParent()
        if request.HasField("user"):
            answer.user_id = request.user
        if request.space_id or "x-acontext-null" in self.metadata:
            answer.space_id = request.space_id or self.metadata["x-acontext-null"]
        return session.CreateSessionResponse(session=answer)

    async def get_session(
        self, request: session.GetSessionRequest, context: Context
    ) -> session.GetSessionResponse:
        """Fail as the id says: a status code, and perhaps an HTTP status."""
        code, _, http_status = request.session_id.partition("-")
        if http_status:
            await context.send_initial_metadata([("x-acontext-status", http_status)])
        await _fail(context, grpc.StatusCode[code], 'No "session" here, é.')
        raise AssertionError

    async def list_sessions(
        self, request: session.ListSessionsRequest, _: Context
    ) -> session.ListSessionsResponse:
        """One session whose user says how the request was read."""
        items = [session.Session(user_id=request.user)] if request.HasField("user") else []
        return session.ListSessionsResponse(items=items)

    async def delete_session(
        self, request: session.DeleteSessionRequest, _: Context
    ) -> session.DeleteSessionResponse:
        """An answer without fields."""
        return session.DeleteSessionResponse()

    async def store_json(self, request: session.StoreMessageJsonRequest, _: Context) -> HttpBody:
        """The body, byte by byte."""
        return HttpBody(content_type="application/json", data=request.body.data)

    async def store_multipart(
        self, requests: AsyncIterator[session.StoreMessageMultipartRequest], _: Context
    ) -> HttpBody:
        """What came."""
        pieces = [request async for request in requests]
        first, size = pieces[0], sum(len(piece.body.data) for piece in pieces)
        said = {"session": first.session_id, "type": first.body.content_type, "size": size}
        return HttpBody(content_type="application/json", data=json.dumps(said).encode())

    async def list_messages(self, request: session.ListMessagesJsonRequest, _: Context) -> HttpBody:
        """As many MiB as the limit says."""
        text = b'["' + b"x" * (request.limit * 1024 * 1024) + b'"]'
        return HttpBody(content_type="application/json", data=text)

    async def watch_session(
        self, request: session.WatchSessionRequest, context: Context
    ) -> AsyncIterator[session.WatchSessionResponse]:
        """Three messages of many frames each, or an error at once."""
        if request.session_id == "unknown":
            await _fail(context, grpc.StatusCode.NOT_FOUND, "No such session.")
        for sequence in range(1, 4):
            message = session.Message(sequence=sequence, parts=[session.Part(text=LONG_TEXT)])
            if "x-acontext-null" in self.metadata:
                message.parent_id = message.task_id = self.metadata["x-acontext-null"]
            yield session.WatchSessionResponse(message=message)
            await asyncio.sleep(0)

    async def store_messages(
        self, requests: AsyncIterator[session.StoreMessagesRequest], _: Context
    ) -> session.StoreMessagesResponse:
        """How many came."""
        return session.StoreMessagesResponse(count=len([request async for request in requests]))

    async def list_tasks(
        self, request: observer.ListTasksRequest, _: Context
    ) -> observer.ListTasksResponse:
        """A task without lists, one with one of them, one that has everything."""
        tricky = 'say {"progresses":[],"user_preferences":[]} aloud'
        some = [
            observer.TaskData(task_description=tricky),
            observer.TaskData(task_description="half", user_preferences=[tricky]),
            observer.TaskData(progresses=["a"], user_preferences=["b"], sop_thinking="c"),
        ]
        tasks = [observer.Task(order=n, data=data) for n, data in enumerate(some, 1)]
        return observer.ListTasksResponse(items=tasks)

    async def resolve(
        self, request: space.ResolveConfirmationRequest, _: Context
    ) -> space.ResolveConfirmationResponse:
        """Nothing where there could be something."""
        return space.ResolveConfirmationResponse()

    async def list_tool_names(
        self, request: space.ListToolNamesRequest, _: Context
    ) -> space.ListToolNamesResponse:
        """An empty list."""
        return space.ListToolNamesResponse()

    async def get_blob(
        self, request: disk.GetBlobRequest, context: Context
    ) -> AsyncIterator[disk.GetBlobResponse]:
        """A file, or the range of it that was asked for; or what the token says."""
        if request.token == "beyond":
            await context.send_initial_metadata(
                [("x-acontext-status", "416"), ("content-range", "bytes */9")]
            )
            await _fail(context, grpc.StatusCode.OUT_OF_RANGE, "No such bytes.")
        if request.token == "missing":
            await _fail(context, grpc.StatusCode.NOT_FOUND, "No such file.")
        content, told = FILE, []
        if "range" in self.metadata:
            first, last = map(int, self.metadata["range"].removeprefix("bytes=").split("-"))
            content = FILE[first : last + 1]
            told = [
                ("x-acontext-status", "206"),
                ("content-range", f"bytes {first}-{last}/{len(FILE)}"),
            ]
        length = ("x-acontext-content-length", str(len(content)))
        await context.send_initial_metadata([*told, length])
        for start in range(0, len(content), 65536):
            if request.token == "broken" and start:
                await _fail(context, grpc.StatusCode.INTERNAL, "The disk is gone.")
            piece = HttpBody(content_type="text/x-log", data=content[start : start + 65536])
            yield disk.GetBlobResponse(content=piece)


def _unimplemented(path: str) -> Callable[..., AsyncIterator[bytes]]:
    async def answer(_: object, context: Context) -> AsyncIterator[bytes]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, path)
        yield b""

    return answer


async def _fail(context: Context, code: grpc.StatusCode, message: str) -> None:
    status = Status(code=code.value[0], message=message)
    # What may stand before the reason must not be taken for it.
    violation = BadRequest.FieldViolation(field="a", description="b", reason="NOT_THIS_ONE")
    status.details.add().Pack(BadRequest(field_violations=[violation]))
    status.details.add().Pack(ErrorInfo(reason="SOME_REASON", domain="acontext.session"))
    context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
    await context.abort(code, message)


@asynccontextmanager
async def serve(backend: Backend) -> AsyncIterator[str]:
    """Serve on a free port of this machine and hand out the address."""
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE)]
    server = aio.server(options=options)
    names = (*build.service_names(build.contracts()), reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    server.add_generic_rpc_handlers([backend])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(grace=None)
