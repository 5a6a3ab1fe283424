"""`python -m acontext_server.all` as a person meets it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.engines import state_folder
from tests.journeys.client import open_client
from tests.journeys.system import System, running


@pytest.fixture
def own() -> Iterator[System]:
    """A system that the test may stop."""
    with state_folder() as folder:
        yield from running(System(folder))


def run(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    place = {
        "ACONTEXT_DATA_FOLDER": str(folder),
        "ACONTEXT_PORT": str(port),
        "ACONTEXT_DASHBOARD_PORT": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", "acontext_server.all"],
        env=os.environ | place,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_a_restart_keeps_everything_and_ctrl_c_is_clean(own: System) -> None:
    async with open_client(own.address) as client:
        session_id = await client.create_session()
        await client.store(session_id, {"role": "user", "content": "Keep this."})
    processes = own.descendants()
    assert own.stop() == 0
    assert "Traceback" not in own.log()
    assert not [pid for pid in processes if psutil.pid_exists(pid)]
    own.start()
    async with open_client(own.address) as client:
        assert await client.messages(session_id) == [{"role": "user", "content": "Keep this."}]


async def test_a_service_process_that_died_is_back_by_itself(own: System) -> None:
    async with open_client(own.address) as client:
        session_id = await client.create_session()
        for pid in own.services():
            os.kill(pid, signal.SIGKILL)
        assert await client.store(session_id, {"role": "user", "content": "Are you there?"}) == 1
        assert (await client.flush(session_id)).status == 200


def test_a_taken_port_is_told_in_a_sentence() -> None:
    with state_folder() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = run(folder, port)
    assert told.returncode == 1
    assert f"Port {port} is taken by" in told.stderr
    assert f"process {os.getpid()}" in told.stderr
    assert "ACONTEXT_PORT" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_second_one_in_the_same_folder_is_told_in_a_sentence(system: System) -> None:
    told = run(system.folder, system.port + 1)
    assert told.returncode == 1
    assert "already running" in told.stderr
    assert "Traceback" not in told.stderr
