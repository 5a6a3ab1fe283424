"""Gateway and services are killed twice during a thousand messages and a watch."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engines import state_folder
from tests.journeys.system import KEY, System, running
from tests.typescript.packed import inherited

DEATHS = ("stored 350", "stored 700")


@pytest.fixture
def fragile() -> Iterator[System]:
    """A system that is killed here."""
    with state_folder() as folder:
        yield from running(System(folder))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_message_is_lost_or_doubled_and_the_watch_goes_on(
    fragile: System, installed: Path
) -> None:
    with subprocess.Popen(
        ["node", "tests/journeys/storm.js"],
        cwd=installed,
        env=inherited() | {"ACONTEXT_BASE_URL": fragile.url, "ACONTEXT_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout
        said = []
        for line in program.stdout:
            said.append(line.rstrip())
            if said[-1] in DEATHS:
                die(fragile)
        assert program.wait(timeout=60) == 0, said
    assert said[-1] == "nothing lost, nothing doubled"


def die(system: System) -> None:
    """Kill gateway and services at once; the supervisor starts them again."""
    victims = [*system.services(), *system.gateway()]
    assert len(victims) == 3
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
