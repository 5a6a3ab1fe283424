"""A service in a process of its own, which a test kills."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from acontext_server.kit.config import Settings
from acontext_server.serve import ServiceProcess


@asynccontextmanager
async def to_be_killed(service: str, settings: Settings) -> AsyncIterator[Callable[[], None]]:
    """Run a service, and give what kills it as `kill -9` does."""
    command = await ServiceProcess((service,), settings).prepare()
    environment = {**os.environ, **(command.environment or {})}
    process = await asyncio.create_subprocess_exec(*command.argv, env=environment)
    try:
        yield process.kill
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
