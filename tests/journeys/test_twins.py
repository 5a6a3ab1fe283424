"""Two of each service behind the same engines, and workers killed in the middle of their work."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from subprocess import DEVNULL, Popen
from typing import Any

import pytest
from grpc import aio

from acontext_server.kit.config import Settings
from acontext_server.kit.engines import Command, free_port
from acontext_server.serve import SERVICES, ServiceProcess, address_of
from tests.journeys.client import Client
from tests.journeys.test_kill import (
    CONVERSATIONS,
    Written,
    check_messages,
    check_skills,
    check_tasks,
)

ROUNDS = 4


@dataclass
class Twin:
    """A process with one of each service."""

    settings: Settings
    _process: Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until each of its services serves."""
        program = ServiceProcess(SERVICES, self.settings)
        command = await program.prepare()
        self._process = _popen(command)
        async with asyncio.timeout(60):
            while not await program.is_ready():
                assert self._process.poll() is None
                await asyncio.sleep(0.1)

    def end(self, signal_number: int) -> None:
        """Send it a last signal."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal_number)
            self._process.wait(timeout=60)

    async def open_client(self, running: AsyncExitStack) -> Client:
        """Open a client of this twin alone."""
        channels = {
            name: await running.enter_async_context(
                aio.insecure_channel(
                    address_of(name, self.settings),
                    options=[("grpc.max_reconnect_backoff_ms", 500)],
                )
            )
            for name in SERVICES
        }
        return Client(Switch(channels))  # type: ignore[arg-type]  # a channel to several servers


def _popen(command: Command) -> Popen[bytes]:
    environment = os.environ | dict(command.environment or {})
    return Popen(command.argv, env=environment, stdin=DEVNULL)


@dataclass
class Switch:
    """What stubs need of a channel, each service on its own."""

    channels: dict[str, aio.Channel]

    def __getattr__(self, kind: str) -> Any:
        def method(path: str, *arguments: Any, **options: Any) -> Any:
            service = path.split(".")[1]
            return getattr(self.channels[service], kind)(path, *arguments, **options)

        return method


@pytest.fixture
async def twins(settings: Settings) -> AsyncIterator[tuple[Twin, Twin]]:
    """Two twins on the same database, streams and files."""
    addresses = [
        {f"{name}_address": f"127.0.0.1:{free_port()}" for name in SERVICES} for _ in range(2)
    ]
    first, second = (Twin(settings.model_copy(update=own)) for own in addresses)
    try:
        await asyncio.gather(first.start(), second.start())
        yield first, second
    finally:
        for twin in (first, second):
            twin.end(signal.SIGTERM)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_task_is_lost_or_doubled_when_twins_share_the_work_and_die(
    twins: tuple[Twin, Twin],
) -> None:
    async with AsyncExitStack() as running:
        one, other = [await twin.open_client(running) for twin in twins]
        space_id, calm_space_id = await one.create_space(), await one.create_space()
        written = [
            Written(await one.create_session(space_id), number % len(CONVERSATIONS))
            for number in range(6)
        ]
        async with asyncio.TaskGroup() as group:
            for each in written:
                group.create_task(converse(one, other, each))
            for number in range(ROUNDS):
                await asyncio.sleep(1)
                twins[number % 2].end(signal.SIGKILL)
                await twins[number % 2].start()
        await check_messages(other, written)
        calm = [
            Written(await one.create_session(calm_space_id), number)
            for number in range(len(CONVERSATIONS))
        ]
        for each in calm:
            await converse(one, one, each)
        await check_tasks(one, written, calm)
        await check_skills(one, (space_id, written), (calm_space_id, calm))


async def converse(one: Client, other: Client, written: Written) -> None:
    """Write a conversation, each message to the other twin, and flush now and then."""
    for number, message in enumerate(CONVERSATIONS[written.conversation], start=1):
        client = (one, other)[number % 2]
        assert await client.store(written.session_id, message) == number
        if number % 3 == 0:
            await client.flush(written.session_id)
        await asyncio.sleep(0.2)
