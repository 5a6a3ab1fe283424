"""`python -m benchmarks.empty_service HOST:PORT`: a real gRPC servicer that does nothing.

What a request costs here is the price of Python, gRPC and the way there; what it costs more at
the system is ours.
"""

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import uvloop
from google.api.httpbody_pb2 import HttpBody
from grpc import aio

from acontext.session import v1 as pb
from acontext_server.kit.rpc.clients import CHANNEL_OPTIONS

if TYPE_CHECKING:
    Context = aio.ServicerContext[Any, Any]

_NOTHING = HttpBody(content_type="application/json", data=b"{}")


class EmptyServicer(pb.SessionServiceServicer):
    """Answers at once; every RPC that is not measured stays unimplemented."""

    async def StoreMessageJson(
        self, request: pb.StoreMessageJsonRequest, context: "Context"
    ) -> HttpBody:
        """Store nothing."""
        return _NOTHING

    async def ListMessagesJson(
        self, request: pb.ListMessagesJsonRequest, context: "Context"
    ) -> HttpBody:
        """Read nothing."""
        return _NOTHING


async def serve(address: str) -> None:
    """Serve as our services do, until SIGTERM, without anything around the RPCs."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    server = aio.server(options=CHANNEL_OPTIONS)
    # What is not measured is left to the generated base, which says UNIMPLEMENTED.
    servicer = EmptyServicer()  # type: ignore[abstract]
    pb.add_SessionServiceServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    await told.wait()
    await server.stop(grace=None)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
