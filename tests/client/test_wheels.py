"""The wheels in an empty environment, away from the repository: `make test-wheels`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.system import KEY, gateway_port

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*command: object, cwd: Path, **more: str) -> str:
    """Run a program that knows nothing of this repository."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "OMP_NUM_THREADS": "1"} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both packages as they would be published."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "scripts/wheels.py", str(folder)], cwd=ROOT, env=os.environ, check=True
    )
    for wheel in folder.iterdir():
        print(f"{wheel.name}: {wheel.stat().st_size:,} bytes")
    return {wheel.name.split("-")[0]: wheel for wheel in folder.glob("acontext*.whl")}


def environment(home: Path, *wheels: Path) -> Path:
    """Make an environment with these wheels and what they ask registries for."""
    run(sys.executable, "-m", "venv", home / "venv", cwd=home)
    python = home / "venv" / "bin" / "python"
    settings = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
    told = run(python, "-m", "pip", "install", "--quiet", *wheels, cwd=home, **settings)
    assert "error" not in told.lower()
    return python


@pytest.fixture(scope="module")
def client_only(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the client alone."""
    return environment(tmp_path_factory.mktemp("client"), wheels["acontext"])


@pytest.fixture(scope="module")
def everything(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path, int, int]]:
    """An interpreter with both, the folder where it runs the system, its port and dashboard's."""
    home = tmp_path_factory.mktemp("both")
    python = environment(home, *wheels.values())
    port = gateway_port()
    acontext = python.with_name("acontext")
    shown = gateway_port()
    told = run(acontext, "up", "--detach", "--port", port, "--dashboard-port", shown, cwd=home)
    assert told.startswith("Acontext is ready")
    yield python, home, port, shown
    assert run(acontext, "down", cwd=home).startswith("Stopped")


def test_the_client_brings_no_server(client_only: Path) -> None:
    listed = run(client_only, "-m", "pip", "list", "--format", "freeze", cwd=client_only.parent)
    names = {line.split("==")[0].lower() for line in listed.splitlines()}
    print(f"the client brings {len(names)} distributions")
    assert not names & {"openai", "sqlalchemy", "numpy", "onnxruntime", "pydantic", "httpx"}
    refused = subprocess.run(
        [client_only.with_name("acontext"), "up"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "pip install 'acontext[server]==" in refused.stderr) == (1, True)


def test_a_program_of_the_client_runs_against_the_system(
    client_only: Path, everything: tuple[Path, Path, int, int]
) -> None:
    _, home, port, _ = everything
    tour = (ROOT / "clients" / "python" / "examples" / "every_resource.py").read_text()
    (home / "tour.py").write_text(tour)
    where = {"ACONTEXT_BASE_URL": f"http://localhost:{port}/api/v1", "ACONTEXT_API_KEY": KEY}
    told = run(client_only, "-W", "error", home / "tour.py", cwd=home, **where)
    assert "SESSION_NOT_FOUND" in told


def test_the_commands_see_the_system(everything: tuple[Path, Path, int, int]) -> None:
    python, home, port, _ = everything
    where = {"ACONTEXT_BASE_URL": f"http://127.0.0.1:{port}"}
    acontext = python.with_name("acontext")
    assert "up   envoy" in run(acontext, "status", cwd=home, **where)
    assert "space → embedder: local" in run(acontext, "doctor", cwd=home, **where)
    assert "nats: " in run(acontext, "logs", "nats", cwd=home)


def test_a_browser_shows_the_pages_that_the_wheel_brings(
    everything: tuple[Path, Path, int, int],
) -> None:
    _, home, port, shown = everything
    place = {"folder": str(home), "port": port, "dashboardPort": shown}
    told = subprocess.run(
        ["npm", "run", "--silent", "outside"],
        cwd=ROOT / "clients" / "dashboard",
        env=os.environ | {"DASHBOARD_PLACE": json.dumps(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
