"""Our services for tests: real ones, in the test's own process, on engines of the test run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path

import pytest
from grpc import aio

import acontext_server
from acontext_server.kit import migrations
from acontext_server.kit.auth import Signer
from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Postgres, free_port
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc import serve
from tests.engines import new_database

SERVICES = ("session", "disk", "observer", "space")
ROOT_KEY = "sk-ac-your-root-api-bearer-token"
ADMIN_KEY = "the-operator-of-this-test"


class Platform:
    """Services that run for one test, and how to reach them."""

    key = (("authorization", f"Bearer {ROOT_KEY}"),)
    """Metadata of a caller with the default project's key."""
    operator = (("authorization", f"Bearer {ADMIN_KEY}"),)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._signer = Signer(settings.secret_for("services"))
        self._channels: dict[str, aio.Channel] = {}
        self._running: dict[str, tuple[asyncio.Event, asyncio.Task[None]]] = {}

    def as_service(self, project_id: ProjectId) -> tuple[tuple[str, str], ...]:
        """Metadata of a service that acts for a project."""
        return self._signer.metadata(project_id)

    async def start(self, *services: str) -> None:
        """Start services and wait until they serve."""
        for service in services:
            ready, stop = asyncio.Event(), asyncio.Event()
            task = asyncio.create_task(self._run(service, ready, stop))
            waiting = asyncio.create_task(ready.wait())
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if task.done():
                await task
            self._running[service] = (stop, task)

    async def stop(self, *services: str) -> None:
        """Stop services gracefully."""
        for service in services:
            stop, task = self._running.pop(service)
            stop.set()
            await task

    async def stop_all(self) -> None:
        """Stop what still runs, the last started first."""
        for channel in self._channels.values():
            await channel.close()
        await self.stop(*reversed(self._running))

    def channel(self, service: str) -> aio.Channel:
        """Return a channel to a service."""
        if service not in self._channels:
            address = getattr(self.settings, f"{service}_address")
            self._channels[service] = aio.insecure_channel(address)
        return self._channels[service]

    async def _run(self, service: str, ready: asyncio.Event, stop: asyncio.Event) -> None:
        opener = import_module(f"acontext_server.{service}.main").open_service
        async with AsyncExitStack() as running:
            wired = await running.enter_async_context(opener(self.settings))
            await running.enter_async_context(serve(wired, self.settings))
            ready.set()
            await stop.wait()


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Iterator[str]:
    """A database with every service's schema, migrated once and cloned per test."""
    root = Path(acontext_server.__path__[0])
    with new_database(postgres) as name:
        for service in SERVICES:
            if any((root / service / "migrations" / "versions").glob("*.py")):
                migrations.upgrade(postgres.url_of(name), service)
        yield name


@pytest.fixture
def settings(
    postgres: Postgres, nats_url: str, template: str, tmp_path: Path
) -> Iterator[Settings]:
    """Settings on engines of this run, with a database and streams of the test's own."""
    with new_database(postgres, template=template) as name:
        yield Settings(
            database_url=postgres.url_of(name),
            nats_url=nats_url,
            nats_prefix=name,
            blobs_url=f"file://{tmp_path}/blobs",
            model_url="rules:",
            internal_secret="a secret of this test",
            admin_key=ADMIN_KEY,
            root_api_key=ROOT_KEY,
            buffer_idle_seconds=0.3,
            sweep_seconds=0.5,
            session_address=f"127.0.0.1:{free_port()}",
            disk_address=f"127.0.0.1:{free_port()}",
            observer_address=f"127.0.0.1:{free_port()}",
            space_address=f"127.0.0.1:{free_port()}",
        )


@pytest.fixture
async def platform(settings: Settings) -> AsyncIterator[Platform]:
    """Services of the test's own; it starts those that it needs."""
    platform = Platform(settings)
    yield platform
    await platform.stop_all()
