"""Native gRPC and gRPC-Web through the gateway: as if it were not there."""

import struct
from collections.abc import AsyncIterator
from contextlib import suppress

import grpc
import httpx
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from acontext.session import v1 as session
from acontext_server.gateway import build
from tests.gateway.conftest import Gateway

RPCS = build.rpcs(build.contracts())
INTERNAL = [rpc.path for rpc in RPCS if rpc.internal]


async def test_a_native_answer_is_untouched(channel: aio.Channel) -> None:
    sessions = session.SessionServiceStub(channel)
    answer = await sessions.CreateSession(session.CreateSessionRequest(user="me"))
    assert answer.session.user_id == "me"
    assert not answer.session.HasField("space_id")


async def test_a_native_error_keeps_its_details(channel: aio.Channel) -> None:
    sessions = session.SessionServiceStub(channel)
    with pytest.raises(aio.AioRpcError) as raised:
        await sessions.GetSession(session.GetSessionRequest(session_id="NOT_FOUND"))
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert raised.value.details() == 'No "session" here, é.'
    details = (raised.value.trailing_metadata() or aio.Metadata())["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    status = Status.FromString(details)
    reason = ErrorInfo()
    assert status.details[-1].Unpack(reason)
    assert reason.reason == "SOME_REASON"


async def test_streams_pass_both_ways(channel: aio.Channel) -> None:
    sessions = session.SessionServiceStub(channel)

    async def messages() -> AsyncIterator[session.StoreMessagesRequest]:
        for _ in range(1000):
            yield session.StoreMessagesRequest()

    assert (await sessions.StoreMessages(messages())).count == 1000
    watched = sessions.WatchSession(session.WatchSessionRequest(session_id="1"))
    assert [answer.message.sequence async for answer in watched] == [1, 2, 3]


async def test_what_only_services_say_is_not_taken_from_outside(
    channel: aio.Channel, gateway: Gateway
) -> None:
    sessions = session.SessionServiceStub(channel)
    forged = (("x-acontext-project", "theirs"), ("x-acontext-null", "x"), ("authorization", "k"))
    await sessions.CreateSession(session.CreateSessionRequest(), metadata=forged)
    assert not [key for key in gateway.backend.metadata if key.startswith("x-acontext-")]
    assert gateway.backend.metadata["authorization"] == "k"


def test_some_rpcs_are_internal() -> None:
    assert "/acontext.session.v1.SessionService/ReadMessages" in INTERNAL


@pytest.mark.parametrize("path", INTERNAL)
async def test_what_only_services_call_is_refused(channel: aio.Channel, path: str) -> None:
    call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    with pytest.raises(aio.AioRpcError) as raised:
        await call(b"")
    assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert raised.value.details() == "Only services call this RPC."


@pytest.mark.parametrize("path", [rpc.path for rpc in RPCS if not rpc.internal])
async def test_every_other_rpc_reaches_a_service(
    channel: aio.Channel, gateway: Gateway, path: str
) -> None:
    gateway.backend.paths.clear()
    call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    with suppress(aio.AioRpcError):  # Most have no answer here.
        await call(b"", timeout=1)
    assert gateway.backend.paths == [path]


async def test_reflection_shows_every_service(channel: aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = stub.ServerReflectionInfo(iter([asked]))
    names = {
        service.name
        async for answer in answers
        for service in answer.list_services_response.service
    }
    assert names >= set(build.service_names(build.contracts()))


async def test_health_of_a_service_can_be_asked(channel: aio.Channel) -> None:
    answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def frame(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


async def test_a_browser_speaks_grpc_web(rest: httpx.AsyncClient) -> None:
    request = session.CreateSessionRequest(user="web").SerializeToString()
    answer = await rest.post(
        "/acontext.session.v1.SessionService/CreateSession",
        content=frame(request),
        headers={"content-type": "application/grpc-web+proto", "origin": "http://some.page"},
    )
    assert answer.headers["content-type"] == "application/grpc-web+proto"
    assert "grpc-status" in answer.headers["access-control-expose-headers"]
    length = struct.unpack(">I", answer.content[1:5])[0]
    message = session.CreateSessionResponse.FromString(answer.content[5 : 5 + length])
    assert message.session.user_id == "web"
    assert not message.session.HasField("space_id")
    assert b"grpc-status:0" in answer.content[5 + length :]


async def test_a_browser_does_not_reach_what_only_services_call(rest: httpx.AsyncClient) -> None:
    answer = await rest.post(
        INTERNAL[0], content=frame(b""), headers={"content-type": "application/grpc-web+proto"}
    )
    assert answer.headers["grpc-status"] == "7"
    assert answer.headers["grpc-message"] == "Only services call this RPC."
