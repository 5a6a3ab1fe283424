"""Health over gRPC: for probes as grpc.health.v1 says, for the operator with reasons."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from grpc_health.v1 import health_pb2

from acontext.health import v1 as pb
from acontext_server.kit.auth import Signer
from acontext_server.kit.config import Settings
from acontext_server.kit.health import Inspection, told_together
from acontext_server.kit.rpc.clients import open_channel
from acontext_server.kit.rpc.interceptor import Context

LIVE = "live"
"""Asks only whether the process still answers."""
READY = ""
"""Asks for all of its own engines and for its migrations."""
LOOK_AGAIN_SECONDS = 2.0
PEER_SECONDS = 5.0

Answer = health_pb2.HealthCheckResponse


class Probe:
    """Serves grpc.health.v1; looks when it is asked, so it never tells what was true before.

    Its messages have no types in the library that they come from.
    """

    def __init__(self, inspection: Inspection | None, names: Iterable[str]) -> None:
        self._inspection = inspection
        self._names = frozenset(names)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Say from now on that this process serves no more."""
        self._leaving.set()

    async def Check(self, request: Any, context: Context) -> Any:
        status = await self._status(request.service)
        if status == Answer.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no service has this name")
        return Answer(status=status)

    async def Watch(self, request: Any, context: Context) -> AsyncIterator[Any]:
        told = None
        while True:
            ends = self._leaving.is_set()
            status = await self._status(request.service)
            if status != told:
                yield Answer(status=status)
            told = status
            if ends:
                return
            try:
                async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                    await self._leaving.wait()
            except TimeoutError:
                pass

    async def _status(self, name: str) -> Any:
        if name not in (READY, LIVE) and name not in self._names:
            return Answer.SERVICE_UNKNOWN
        serves = not self._leaving.is_set() and await self._serves(name)
        return Answer.SERVING if serves else Answer.NOT_SERVING

    async def _serves(self, name: str) -> bool:
        if self._inspection is None or name == LIVE:
            return True
        if name == READY:
            return await self._inspection.is_ready()
        return await self._inspection.is_answering()


class HealthServicer(pb.HealthServiceServicer):
    """Reports on this service, and gathers the reports of all."""

    def __init__(self, inspection: Inspection, settings: Settings, signer: Signer) -> None:
        self._inspection = inspection
        self._addresses = settings.addresses
        self._signer = signer

    async def GetServiceHealth(
        self, request: pb.GetServiceHealthRequest, context: Context
    ) -> pb.GetServiceHealthResponse:
        return pb.GetServiceHealthResponse(service=await self._inspection.report())

    async def GetHealth(
        self, request: pb.GetHealthRequest, context: Context
    ) -> pb.GetHealthResponse:
        services = await asyncio.gather(*map(self._report_of, self._addresses))
        problems = told_together((one.name, one.problems) for one in services)
        notices = told_together((one.name, one.notices) for one in services)
        checked_at = Timestamp()
        checked_at.FromDatetime(datetime.now(UTC))
        health = pb.Health(
            healthy=not problems,
            problems=problems,
            services=services,
            checked_at=checked_at,
            notices=notices,
        )
        return pb.GetHealthResponse(health=health)

    async def _report_of(self, service: str) -> pb.ServiceHealth:
        if service == self._inspection.service:
            return await self._inspection.report()
        address = self._addresses[service]
        try:
            async with open_channel(address) as channel:
                answer = await pb.HealthServiceStub(channel).GetServiceHealth(
                    pb.GetServiceHealthRequest(),
                    metadata=self._signer.metadata(),
                    timeout=PEER_SECONDS,
                )
        except aio.AioRpcError as error:
            problem = (
                f"does not answer at {address}: {error.details() or error.code().name}. Start it,"
                f" or mend ACONTEXT_{service.upper()}_ADDRESS."
            )
            return pb.ServiceHealth(name=service, problems=[problem])
        return answer.service
