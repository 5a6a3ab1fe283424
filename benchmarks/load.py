"""JSON requests as fast as a system answers them, from wrk."""

import asyncio
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.system import KEY

CONNECTIONS = 16

_SCRIPT = Path(__file__).with_name("load.lua")


class WrkMissing(Exception):
    """There is no wrk; the text says where it comes from."""

    def __init__(self) -> None:
        super().__init__("The load comes from wrk, which is missing: apt-get install wrk")


class RequestsFailed(Exception):
    """Some requests were not answered, or refused: the rate would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The requests of one figure."""

    method: str
    paths: Sequence[str]
    """Asked for in turn."""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of a load."""

    answered: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds


def find_wrk() -> str:
    """Find the program, or raise WrkMissing."""
    found = shutil.which("wrk")
    if not found:
        raise WrkMissing
    return found


async def send(url: str, load: Load, *, seconds: int) -> Answered:
    """Send a load over 16 connections for some seconds; RequestsFailed unless all went well."""
    paths = [f"/api/v1{path}" for path in load.paths]
    wrk = await asyncio.create_subprocess_exec(
        *(
            find_wrk(),
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "-s",
            str(_SCRIPT),
            url,
        ),
        *("--", load.method, KEY, load.body, *paths),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await wrk.communicate()
    answered = Answered(**json.loads(output.splitlines()[-1]))
    if answered.failed or not answered.answered:
        raise RequestsFailed(f"{answered.failed} of {answered.answered} requests failed at {url}")
    return answered
