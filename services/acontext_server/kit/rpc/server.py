"""Serving: one gRPC server per service, what runs beside it, and a graceful end."""

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
import uvloop
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from acontext.disk import v1 as disk
from acontext.health import v1 as health
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from acontext_server.kit.auth import Keys, Signer
from acontext_server.kit.config import Settings
from acontext_server.kit.health import Inspection
from acontext_server.kit.log import configure_logs
from acontext_server.kit.misconfiguration import Misconfigured, read_settings
from acontext_server.kit.rpc.clients import CHANNEL_OPTIONS
from acontext_server.kit.rpc.health_service import HealthServicer, Probe
from acontext_server.kit.rpc.interceptor import Interceptor
from acontext_server.kit.telemetry.metrics import announce_counters, keep_gauges, serving_metrics
from acontext_server.kit.telemetry.traces import tracing

log = structlog.get_logger()

DRAIN_SECONDS = 10
PROBES: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name

_SERVER_OPTIONS = [
    *CHANNEL_OPTIONS,
    # Otherwise two servers share a port in silence, and callers reach the wrong one by turns.
    ("grpc.so_reuseport", 0),
    # More than the gateway takes, whose refusal says what is wrong; grpc's is a 429.
    ("grpc.max_metadata_size", 128 << 10),
    ("grpc.absolute_max_metadata_size", 128 << 10),
    # What waits here of one upload. What gRPC estimates instead was 50 MiB on a busy machine.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 1 << 20),
]

Runnable = Callable[[], Coroutine[Any, Any, None]]
"""Something that works beside the RPCs until it is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of our services, wired and ready to be served."""

    name: str
    address: str
    keys: Keys
    servicers: Sequence[Callable[[aio.Server], None]]
    """Each adds one servicer to a server."""
    beside: Sequence[Runnable] = field(default=())
    inspection: Inspection | None = None
    """What its health is told from; without one it is well as long as it lives."""


def _names() -> list[str]:
    """List every service of ours, so that any of them can reflect them all."""
    files = (
        session.SessionServiceServicer,
        session.ProjectServiceServicer,
        disk.DiskServiceServicer,
        observer.TaskServiceServicer,
        observer.RunServiceServicer,
        space.SpaceServiceServicer,
        space.SkillServiceServicer,
        health.HealthServiceServicer,
    )
    packages = {kind.__name__: kind.__module__.rsplit(".", 1)[0] for kind in files}
    return [f"{package}.{name.removesuffix('Servicer')}" for name, package in packages.items()]


@contextlib.asynccontextmanager
async def serve(service: Service, settings: Settings) -> AsyncIterator[None]:
    """Serve one service until left; then it stops accepting, drains, and ends what ran beside."""
    signer = Signer(settings.secret_for("services"))
    interceptor = Interceptor(
        service.name,
        keys=service.keys,
        signer=signer,
        admin_key=settings.admin_key,
        is_counted=bool(settings.metrics_address),
    )
    server = aio.server(interceptors=[interceptor], options=_SERVER_OPTIONS)
    for add in service.servicers:
        add(server)
    if service.inspection is not None:
        inspecting = HealthServicer(service.inspection, settings, signer)
        health.add_HealthServiceServicer_to_server(inspecting, server)
    names = _names()
    probe = Probe(service.inspection, names)
    health_pb2_grpc.add_HealthServicer_to_server(probe, server)
    reflection.enable_server_reflection([*names, PROBES, reflection.SERVICE_NAME], server)
    address = settings.listen_address or service.address
    server.add_insecure_port(address)
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(run()) for run in (*service.beside, *_watchers(service, settings))
        ]
        await server.start()
        log.info("serving", service=service.name, address=address)
        try:
            yield
        finally:
            probe.leave()
            await server.stop(DRAIN_SECONDS)
            await interceptor.finish(DRAIN_SECONDS)
            await _end(beside)
    log.info("stopped", service=service.name)


def _watchers(service: Service, settings: Settings) -> Iterator[Runnable]:
    if settings.metrics_address and service.inspection is not None:
        announce_counters(service.name)
        yield partial(keep_gauges, service.inspection)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    # Before Python 3.12 wait_for swallows a cancellation that comes together with its result, and
    # nats waits with it; so what runs beside is cancelled until it heeds that.
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.2)


def main(*openers: Callable[[Settings], AbstractAsyncContextManager[Service]]) -> None:
    """Serve some services in this process until SIGTERM or SIGINT."""
    try:
        settings = read_settings()
        if settings.listen_address and len(openers) > 1:
            raise Misconfigured("ACONTEXT_LISTEN_ADDRESS is for a process with one service.")
        configure_logs(settings.log_level)
        _spare_collector()
        uvloop.run(_until_told(openers, settings))
    except Misconfigured as error:
        sys.exit(str(error))


def _spare_collector() -> None:
    """Let the cyclic collector look less often, and never at what lives as long as the process.

    Requests leave hardly any cycles behind, but make thousands of objects each: with Python's
    defaults a tenth of a page's time went into looking at them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


async def _until_told(
    openers: Sequence[Callable[[Settings], AbstractAsyncContextManager[Service]]],
    settings: Settings,
) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with AsyncExitStack() as running:
        running.enter_context(serving_metrics(settings))
        running.enter_context(tracing(settings, "-".join(map(_room, openers))))
        for opener in openers:
            service = await running.enter_async_context(opener(settings))
            await running.enter_async_context(serve(service, settings))
        await told.wait()


def _room(opener: Callable[[Settings], AbstractAsyncContextManager[Service]]) -> str:
    """Say whose opener it is: `session` of `acontext_server.session.main`."""
    return opener.__module__.split(".")[1]
