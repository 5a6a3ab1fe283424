"""`python -m acontext_server.serve disk observer`: some services in one process.

Also how such a process is run as a child. It takes its settings from the environment.
"""

import json
import sys
from collections.abc import Sequence
from importlib import import_module

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from acontext_server.kit import rpc
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Command

SERVICES = ("session", "disk", "observer", "space")

_ASK_SECONDS = 2.0
STAND_BACK = 10
"""Niceness of what has no session in it: where cores are few, storing comes before observing."""
GIVE_MEMORY_BACK = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "262144",
}
"""For glibc, which otherwise keeps what each thread and each large message once needed: the same
150 conversations with long tool results took 377 MB without these and 296 MB with, no slower."""


class ServiceProcess:
    """A process with some services, ready once each of them says that it serves."""

    def __init__(self, services: Sequence[str], settings: Settings) -> None:
        self.name = "-".join(services)
        self._services = services
        self._settings = settings

    async def prepare(self) -> Command:
        """Hand every setting over, so that the child reads no file of its own."""
        values = self._settings.model_dump(mode="json")
        environment = {
            f"ACONTEXT_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for name, value in values.items()
        }
        argv = [sys.executable, "-m", "acontext_server.serve", *self._services]
        niceness = 0 if "session" in self._services else STAND_BACK
        return Command(argv=argv, environment=GIVE_MEMORY_BACK | environment, niceness=niceness)

    async def is_ready(self) -> bool:
        """Ask the health service of each."""
        addresses = [address_of(name, self._settings) for name in self._services]
        return all([await serves(address) for address in addresses])


def address_of(service: str, settings: Settings) -> str:
    """Give the `host:port` at which a service serves."""
    address: str = getattr(settings, f"{service}_address")
    return address


async def serves(address: str) -> bool:
    """Ask a service's health RPC whether it serves."""
    async with aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        try:
            answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=_ASK_SECONDS)
        except aio.AioRpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def main(services: Sequence[str]) -> None:
    """Serve some services until SIGTERM or SIGINT."""
    unknown = set(services) - set(SERVICES)
    if unknown or not services:
        sys.exit(f"usage: python -m acontext_server.serve {' '.join(SERVICES)}, one or more")
    modules = [import_module(f"acontext_server.{service}.main") for service in services]
    rpc.main(*(module.open_service for module in modules))


if __name__ == "__main__":
    main(sys.argv[1:])
