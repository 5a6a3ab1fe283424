"""What is measured and what it is measured against, each in processes and a folder of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx
import psutil

from acontext_server.gateway.render import render
from acontext_server.kit.engines import (
    Command,
    Envoy,
    Folder,
    Postgres,
    StartError,
    free_port,
    supervise,
)
from acontext_server.serve import SERVICES

KEY = "sk-ac-your-root-api-bearer-token"
AS_PROJECT = (("authorization", f"Bearer {KEY}"),)

_START_SECONDS = 60.0
_QUIET_SECONDS = 60.0
_QUIET_SHARE = 0.1
"""Of one core, over half a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An embedded Acontext as `make up` runs it."""

    folder: Folder
    address: str
    process: psutil.Process

    @property
    def url(self) -> str:
        """Where its REST dialect is."""
        return f"http://{self.address}/api/v1"

    @property
    def database_url(self) -> str:
        """Where its PostgreSQL is."""
        return Postgres(self.folder).url

    def programs(self) -> dict[str, list[psutil.Process]]:
        """Name its programs, each with its processes."""
        marks = sorted(self.folder.marks.glob("*.pid"), key=lambda mark: mark.stat().st_mtime)
        programs = {"supervisor": [self.process]}
        for mark in marks:
            program = psutil.Process(json.loads(mark.read_bytes())["pid"])
            programs[mark.stem] = [program, *program.children(recursive=True)]
        return programs

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Stop it for a moment, so that what it does beside does not slow its floor down."""
        processes = self.process.children(recursive=True)
        try:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    async def until_quiet(self) -> None:
        """Wait until it has done what it does behind its answers: observing, indexing."""
        async with asyncio.timeout(_QUIET_SECONDS):
            before = self._cpu_seconds()
            while True:
                await asyncio.sleep(0.5)
                after = self._cpu_seconds()
                if after - before < 0.5 * _QUIET_SHARE:
                    return
                before = after

    def _cpu_seconds(self) -> float:
        seconds = 0.0
        for process in self.process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                seconds += times.user + times.system
        return seconds


@asynccontextmanager
async def open_system(
    path: Path, chosen: Mapping[str, str] = MappingProxyType({"ACONTEXT_MODEL_URL": "rules:"})
) -> AsyncIterator[System]:
    """Start the embedded system with its defaults, whatever the environment says otherwise.

    `chosen` are the variables that say otherwise all the same.
    """
    port = free_port()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ACONTEXT_")}
    place = {
        "ACONTEXT_PORT": str(port),
        "ACONTEXT_DATA_FOLDER": str(path),
        "ACONTEXT_DASHBOARD_PORT": "0",
    }
    with (path / "all.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acontext_server.all"),
            env={**inherited, **place, **chosen},
            cwd=path,  # where no .env and no config.yaml of the user is
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"127.0.0.1:{port}"
    try:
        await _until_ready(process, address, path / "all.log")
        yield System(folder=Folder(path), address=address, process=psutil.Process(process.pid))
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, address: str, log: Path) -> None:
    headers = dict(AS_PROJECT)
    async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient(headers=headers) as client:
        while True:
            if process.returncode is not None:
                raise _not_started(log)
            with suppress(httpx.HTTPError):
                if (await client.get(f"http://{address}/api/v1/ping")).status_code == 200:
                    return
            await asyncio.sleep(0.05)


def _not_started(log: Path) -> StartError:
    return StartError(f"Acontext did not start:\n{log.read_text()}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The empty servicer behind an Envoy like the system's."""

    address: str
    servicer: psutil.Process

    @property
    def url(self) -> str:
        """Where its REST dialect is."""
        return f"http://{self.address}/api/v1"


class _Servicer:
    name = "empty"

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"

    async def prepare(self) -> Command:
        return Command(argv=[sys.executable, "-m", "benchmarks.empty_service", self.address])

    async def is_ready(self) -> bool:
        host, _, port = self.address.partition(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def open_floor(path: Path) -> AsyncIterator[Floor]:
    """Start the empty servicer and its Envoy, with the configuration that the system uses."""
    port = free_port()
    servicer = _Servicer()
    services = dict.fromkeys(SERVICES, servicer.address)
    async with supervise(path) as supervisor:
        command = render(path / "envoy", listen=f"127.0.0.1:{port}", services=services)
        await supervisor.start(servicer, Envoy(command, host="127.0.0.1", port=port))
        [process] = [
            child
            for child in psutil.Process().children()
            if "benchmarks.empty_service" in child.cmdline()
        ]
        yield Floor(address=f"127.0.0.1:{port}", servicer=process)
