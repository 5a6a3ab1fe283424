"""A real Envoy in front of hand-made services, one of each per run."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from grpc import aio

from acontext_server.gateway import render
from acontext_server.gateway.render import SERVICES
from acontext_server.kit.engines import Envoy, free_port
from tests.engines import Engines
from tests.gateway.backend import Backend, serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A running gateway and what is behind it."""

    address: str
    backend: Backend


@pytest.fixture(scope="session")
def gateway(engines: Engines) -> Iterator[Gateway]:
    """One gateway for all tests."""
    backend = Backend()
    port = free_port()
    address = f"127.0.0.1:{port}"
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve(backend)) as it:
        services = dict.fromkeys(SERVICES, it)
        command = render(engines.folder.data("gateway"), listen=address, services=services)
        engines.start(Envoy(command, host="127.0.0.1", port=port))
        yield Gateway(address=address, backend=backend)


@pytest.fixture
async def rest(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST dialect."""
    async with httpx.AsyncClient(base_url=f"http://{gateway.address}", timeout=30) as client:
        yield client


@pytest.fixture
async def channel(gateway: Gateway) -> AsyncIterator[aio.Channel]:
    """A native gRPC channel."""
    async with aio.insecure_channel(gateway.address) as channel:
        yield channel
