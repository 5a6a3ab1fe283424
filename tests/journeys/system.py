"""A whole embedded Acontext as a user runs it: its own process, folder and port."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from subprocess import DEVNULL, Popen
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from acontext_server.kit.engines.ports import is_free

KEY = "sk-ac-your-root-api-bearer-token"
AS_PROJECT = (("authorization", f"Bearer {KEY}"),)
START_SECONDS = 90.0

# Not where free_port looks: a system that was killed must find its port free when it comes back.
_ports = cycle(random.sample(range(15_000, 18_000), 3_000))


def gateway_port() -> int:
    """Find a port that nobody takes while the system on it is down."""
    return next(port for port in _ports if is_free(port, host=""))


@dataclass
class System:
    """`python -m acontext_server.all` on a folder."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=gateway_port)
    dashboard_port: int | None = 0
    """0 means none, None that the system knows no such thing."""
    _process: Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}/api/v1"

    def start(self) -> None:
        """Start it and wait until its gateway answers."""
        own = {"ACONTEXT_DATA_FOLDER": str(self.folder), "ACONTEXT_PORT": str(self.port)}
        if self.dashboard_port is not None:
            own["ACONTEXT_DASHBOARD_PORT"] = str(self.dashboard_port)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "all.log").open("ab") as log:
            self._process = Popen(
                [sys.executable, "-m", "acontext_server.all"],
                env=os.environ | self.environment | own,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_healthy():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def stop(self) -> int:
        """Press Ctrl-C and give the exit status."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)

    def kill_everything(self) -> None:
        """Kill the supervisor with its engines and services, so that nobody can clean up."""
        # The engines are in groups of their own, so the group alone would be too kind.
        engines_and_services = self.descendants()
        self.kill_supervisor()
        for pid in engines_and_services:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_supervisor(self) -> None:
        """Kill the supervisor alone, which leaves the others to themselves."""
        assert self._process
        self._process.kill()
        self._process.wait(timeout=60)

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process
        return self._process.pid

    def descendants(self) -> Sequence[int]:
        """List every process below the supervisor."""
        return [one.pid for one in psutil.Process(self.pid).children(recursive=True)]

    def services(self) -> Sequence[int]:
        """List the processes that run services of ours."""
        return [pid for pid in self.descendants() if "acontext_server.serve" in _command(pid)]

    def gateway(self) -> Sequence[int]:
        """List the processes of the gateway."""
        return [pid for pid in self.descendants() if "envoy" in _command(pid)]

    @contextmanager
    def without_gateway(self) -> Iterator[None]:
        """Kill the gateway, and let nobody start it again meanwhile."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            for pid in self.gateway():
                os.kill(pid, signal.SIGKILL)
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def address_of(self, service: str) -> str:
        """Say where a service listens, as the gateway was told."""
        (told,) = self.folder.rglob("clusters.json")
        for cluster in json.loads(told.read_text())["static_resources"]["clusters"]:
            if cluster["name"] == service:
                (group,) = cluster["load_assignment"]["endpoints"]
                place = group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
                return f"{place['address']}:{place['port_value']}"
        raise LookupError(service)

    def is_healthy(self) -> bool:
        try:
            with urlopen(f"http://{self.address}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def log(self) -> str:
        """Read what it said."""
        return (self.folder / "all.log").read_text()


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def running(system: System) -> Iterator[System]:
    """Run a system for as long as a fixture lives."""
    try:
        system.start()
        yield system
    finally:
        if system._process and system._process.poll() is None:
            system.stop()


async def eventually(question: str, ask: object, *, seconds: float = 60.0) -> None:
    """Ask until the answer is True, or fail with the last wrong one."""
    assert callable(ask)
    deadline = time.monotonic() + seconds
    while (answer := await ask()) is not True:
        assert time.monotonic() < deadline, f"{question}: {answer!r}"
        await asyncio.sleep(0.1)
