"""Gateway and kit together: nulls, keys, limits and unreadable requests, from both ends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from grpc import aio

from acontext.session import v1 as session
from acontext_server.gateway import render
from acontext_server.gateway.render import SERVICES
from acontext_server.kit.auth import Keys
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Envoy, free_port, supervise
from acontext_server.kit.errors import Kind, ServiceError
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.rpc import Service, serve

KEY = "sk-ac-of-this-test"
UNREADABLE = {
    "code": 400,
    "msg": "the request is no message of this method: not UTF-8, or nested too deeply",
    "error": "INVALID_REQUEST",
}


class TooLarge(ServiceError):
    """As a service refuses a file."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "TOO_LARGE"
    http_status = 413


class Sessions(session.SessionServiceServicer):
    """Enough of the service for these tests."""

    async def CreateSession(
        self, request: session.CreateSessionRequest, context: aio.ServicerContext[Any, Any]
    ) -> session.CreateSessionResponse:
        """A session without a space, unless one was asked for."""
        made = session.Session(id="new", configs=request.configs)
        made.configs.SetInParent()
        if request.HasField("space_id"):
            made.space_id = request.space_id
        return session.CreateSessionResponse(session=made)

    async def ListSessions(
        self, request: session.ListSessionsRequest, context: aio.ServicerContext[Any, Any]
    ) -> session.ListSessionsResponse:
        """Two sessions without a space."""
        return session.ListSessionsResponse(items=[session.Session(), session.Session()])

    async def GetSession(
        self, request: session.GetSessionRequest, context: aio.ServicerContext[Any, Any]
    ) -> session.GetSessionResponse:
        """A refusal with an HTTP status of its own."""
        raise TooLarge("too large")


async def resolve(secret: str) -> ProjectId | None:
    """Know one key."""
    return NOBODY if secret == KEY else None


@pytest.fixture
async def address(state_folder: Path) -> AsyncIterator[str]:
    """The address of a gateway before a service on the kit."""
    port, behind = free_port(), f"127.0.0.1:{free_port()}"
    address = f"127.0.0.1:{port}"
    command = render(
        state_folder / "gateway", listen=address, services=dict.fromkeys(SERVICES, behind)
    )
    sessions = Sessions()  # type: ignore[abstract] # the other RPCs are not called
    service = Service(
        name="session",
        address=behind,
        keys=Keys(resolve),
        servicers=[lambda server: session.add_SessionServiceServicer_to_server(sessions, server)],
    )
    settings = Settings(internal_secret="a secret of this test")
    async with serve(service, settings), supervise(state_folder) as supervisor:
        await supervisor.start(Envoy(command, host="127.0.0.1", port=port))
        yield address


@pytest.fixture
async def keyed(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST dialect with a key."""
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", headers=headers) as client:
        yield client


async def test_an_unset_id_is_null_for_rest_and_unset_for_grpc(
    keyed: httpx.AsyncClient, address: str
) -> None:
    data = (await keyed.post("/session", json={"configs": {"space_id": ""}})).json()["data"]
    assert (data["space_id"], data["configs"]) == (None, {"space_id": ""})
    items = (await keyed.get("/session")).json()["data"]["items"]
    assert [item["space_id"] for item in items] == [None, None]
    async with aio.insecure_channel(address) as channel:
        sessions = session.SessionServiceStub(channel)
        answer = await sessions.CreateSession(
            session.CreateSessionRequest(), metadata=(("authorization", f"Bearer {KEY}"),)
        )
    assert not answer.session.HasField("space_id")


@pytest.mark.parametrize("key", ["Bearer sk-ac-other", "Bearer other", f"Basic {KEY}", ""])
async def test_without_a_known_key_it_is_401(keyed: httpx.AsyncClient, key: str) -> None:
    answer = await keyed.get("/session", headers={"authorization": key})
    assert (answer.status_code, answer.json()["code"]) == (401, 401)
    assert (answer.json()["msg"], answer.json()["error"]) == ("Unauthorized", "UNAUTHENTICATED")


async def test_a_project_cannot_be_named_from_outside(keyed: httpx.AsyncClient) -> None:
    forged = {"authorization": "", "x-acontext-project": f"{NOBODY}.9999999999.signature"}
    assert (await keyed.get("/session", headers=forged)).status_code == 401


async def test_a_service_refuses_with_a_status_of_its_own(keyed: httpx.AsyncClient) -> None:
    answer = await keyed.get("/session/0198c0de-0000-7000-8000-000000000000")
    expected = {"code": 413, "msg": "too large", "error": "TOO_LARGE"}
    assert (answer.status_code, answer.json()) == (413, expected)


async def test_a_rule_that_is_broken_is_named(keyed: httpx.AsyncClient) -> None:
    answer = await keyed.get("/session?limit=201")
    assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_REQUEST")
    assert "limit" in answer.json()["msg"]


async def test_what_is_not_utf_8_is_the_callers_mistake(keyed: httpx.AsyncClient) -> None:
    answer = await keyed.get("/session?user=%ff")
    assert (answer.status_code, answer.json()) == (400, UNREADABLE)


@pytest.mark.parametrize("depth", [10, 40, 60, 90, 200, 5000])
async def test_free_json_is_never_too_deep_for_an_answer(
    keyed: httpx.AsyncClient, depth: int
) -> None:
    deep = '{"configs":' + '{"a":' * depth + "1" + "}" * depth + "}"
    answer = await keyed.post("/session", content=deep)
    assert answer.status_code == (200 if depth <= 10 else 400)
    assert answer.json()["code"] in (0, 400)
