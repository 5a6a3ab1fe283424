"""A gateway whose services are away."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
from grpc import aio

from acontext.session import v1 as session
from acontext_server.gateway import render
from acontext_server.gateway.render import SERVICES
from acontext_server.kit.engines import Envoy, free_port, supervise


@pytest.fixture
async def address(state_folder: Path) -> AsyncIterator[str]:
    """The address of a gateway before a port where nobody listens."""
    port, nobody = free_port(), f"127.0.0.1:{free_port()}"
    address = f"127.0.0.1:{port}"
    services = dict.fromkeys(SERVICES, nobody)
    command = render(state_folder / "gateway", listen=address, services=services)
    async with supervise(state_folder) as supervisor:
        await supervisor.start(Envoy(command, host="127.0.0.1", port=port))
        yield address


async def test_everybody_is_told_in_his_own_way(address: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        assert (await client.get("/health")).status_code == 200
        answer = await client.get("/api/v1/session")
    said = {"code": 503, "msg": "the service does not answer; try again"}
    assert (answer.status_code, answer.json()) == (503, said)
    assert answer.headers["content-type"] == "application/json"
    async with aio.insecure_channel(address) as channel:
        sessions = session.SessionServiceStub(channel)
        with pytest.raises(aio.AioRpcError) as raised:
            await sessions.ListSessions(session.ListSessionsRequest())
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "{" not in (raised.value.details() or "")
