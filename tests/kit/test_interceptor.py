"""What callers are told when something goes wrong around an RPC."""

import asyncio
from typing import Any

import grpc
import pytest
from grpc import aio

from acontext.disk import v1 as pb
from acontext_server.kit.auth import Keys
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import free_port
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc import Service
from acontext_server.kit.rpc.server import serve


async def cancelled(_: str) -> ProjectId | None:
    """Be a question to another service that is cancelled there."""
    raise asyncio.CancelledError


async def test_a_caller_is_not_cancelled_with_what_he_waits_for() -> None:
    address = f"127.0.0.1:{free_port()}"
    servicer: Any = pb.DiskServiceServicer  # abstract for type checkers only
    disk = servicer()
    service = Service(
        name="disk",
        address=address,
        keys=Keys(cancelled),
        servicers=[lambda server: pb.add_DiskServiceServicer_to_server(disk, server)],
    )
    key = (("authorization", "Bearer sk-ac-mine"),)
    async with (
        serve(service, Settings(internal_secret="secret")),
        aio.insecure_channel(address) as channel,
    ):
        with pytest.raises(aio.AioRpcError) as refused:
            await pb.DiskServiceStub(channel).ListDisks(pb.ListDisksRequest(), metadata=key)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_two_servers_never_share_a_port_in_silence() -> None:
    service = Service(
        name="disk", address=f"127.0.0.1:{free_port()}", keys=Keys(cancelled), servicers=[]
    )
    settings = Settings(internal_secret="secret")
    async with serve(service, settings):
        with pytest.raises(RuntimeError, match="bind"):
            async with serve(service, settings):
                pytest.fail("the port was taken")
