"""A running Acontext for the demo: the one that answers already, or one that it starts."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import httpx
from rich.console import Console

from acontext_server.kit.engines import StartError, free_port
from acontext_server.kit.engines.ports import is_free
from acontext_server.kit.misconfiguration import read_settings

_START_SECONDS = 120.0
_ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class System:
    """Where Acontext answers."""

    host: str
    port: int
    key: str
    beforehand: str = "PostgreSQL, NATS, Envoy and four services are up"
    afterwards: str = "`make up` runs it"
    """What becomes of it when the demo is over."""
    is_aside: bool = False
    """It is for the demo only, on a port that nobody knows."""

    dashboard: str = "`make up` shows it in the dashboard"

    @property
    def address(self) -> str:
        """What gRPC wants."""
        return f"{self.host}:{self.port}"


@asynccontextmanager
async def running_system(console: Console) -> AsyncIterator[System]:
    """Use the Acontext on our port; else start one, elsewhere if the port is somebody else's."""
    settings = read_settings()
    usual = System(settings.host, settings.port, settings.root_api_key)
    if await _answers(usual):
        shown = f"the dashboard is at http://{settings.host}:{settings.dashboard_port}"
        found = replace(usual, beforehand="it was up already; found", dashboard=shown)
        yield replace(found, afterwards="It goes on running")
    elif is_free(settings.port, host=settings.host):
        kept = f"All this is kept in {settings.data_folder}; `make up` runs it"
        async with _started(usual, settings.data_folder, console):
            yield replace(usual, afterwards=kept)
    else:
        console.print(f"Port {settings.port} is taken, so this Acontext is one for the demo only.")
        aside = replace(
            usual,
            port=free_port(),
            afterwards="This one is gone; `make up` runs one",
            is_aside=True,
        )
        with tempfile.TemporaryDirectory(prefix="acontext-demo-") as folder:
            async with _started(aside, Path(folder), console):
                yield aside


@asynccontextmanager
async def _started(system: System, folder: Path, console: Console) -> AsyncIterator[None]:
    place = {"ACONTEXT_PORT": str(system.port), "ACONTEXT_DATA_FOLDER": str(folder)}
    if system.is_aside:
        place["ACONTEXT_DASHBOARD_PORT"] = "0"  # the usual one is the other program's
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acontext_server.all"),
            env=os.environ | place,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            with console.status("starting PostgreSQL, NATS, Envoy and the four services"):
                await _until_ready(process, system, said)
            yield
        finally:
            await _stop(process)


async def _until_ready(process: asyncio.subprocess.Process, system: System, said: BinaryIO) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while not await _answers(system):
            if process.returncode is not None:
                said.seek(0)
                raise StartError(said.read().decode(errors="replace").strip())
            await asyncio.sleep(_ASK_AGAIN_SECONDS)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    await process.wait()


async def _answers(system: System) -> bool:
    headers = {"authorization": f"Bearer {system.key}"}
    try:
        async with httpx.AsyncClient(timeout=5, headers=headers) as client:
            answer = await client.get(f"http://{system.address}/api/v1/ping")
            return answer.status_code == 200 and answer.json().get("msg") == "pong"
    except (httpx.HTTPError, ValueError):
        return False
