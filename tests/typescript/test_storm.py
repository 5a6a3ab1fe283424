"""Gateway and services are killed twice during a thousand messages and a watch."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from acontext_server.demo import story
from tests.engines import state_folder
from tests.journeys.client import open_client, set_outcome
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
    with program("storm", installed, fragile) as storing:
        assert storing.stdout
        said = []
        for line in storing.stdout:
            said.append(line.rstrip())
            if said[-1] in DEATHS:
                die(fragile)
        assert storing.wait(timeout=60) == 0, said
    assert said[-1] == "nothing lost, nothing doubled"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_watch_that_breaks_before_its_first_change_misses_none(
    fragile: System, installed: Path
) -> None:
    async with open_client(fragile.address) as client:
        session_id = await client.create_session()
        for message in story.README:
            await client.store(session_id, message)
        assert (await client.flush(session_id)).status == 200
        task = (await client.tasks(session_id))[0]
    with program("quiet", installed, fragile) as watching:
        assert watching.stdout
        assert watching.stdout.readline() == "watching\n"
        with fragile.without_gateway():
            await set_outcome(fragile.address_of("observer"), task.id, "failed")
        assert await asyncio.to_thread(watching.stdout.readline) == f"{task.id} failed\n"
        assert watching.wait(timeout=30) == 0


def program(name: str, installed: Path, system: System) -> "subprocess.Popen[str]":
    """Start one of our programs on a system."""
    return subprocess.Popen(
        ["node", f"tests/journeys/{name}.js"],
        cwd=installed,
        env=inherited() | {"ACONTEXT_BASE_URL": system.url, "ACONTEXT_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
    )


def die(system: System) -> None:
    """Kill gateway and services at once; the supervisor starts them again."""
    victims = [*system.services(), *system.gateway()]
    assert len(victims) == 3
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
