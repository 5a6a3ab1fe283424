"""The TypeScript client does its loop under Node, over gRPC-Web through the gateway."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.journeys.system import KEY, System

CLIENT = Path(__file__).parents[2] / "clients" / "typescript"


@pytest.fixture(scope="session")
def loop() -> Path:
    """The example as JavaScript, compiled anew."""
    need_node()
    if not (CLIENT / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=CLIENT, check=True)
    compiled = subprocess.run(
        ["npx", "tsc"], cwd=CLIENT, capture_output=True, text=True, check=False
    )
    assert (compiled.stdout, compiled.returncode) == ("", 0)
    return CLIENT / "dist" / "examples" / "loop.js"


@pytest.mark.slow
def test_the_typescript_client_does_the_loop(loop: Path, system: System) -> None:
    done = subprocess.run(
        ["node", str(loop)],
        env={
            "PATH": os.environ["PATH"],
            "ACONTEXT_BASE_URL": f"http://{system.address}",
            "ACONTEXT_API_KEY": KEY,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stored 10 messages" in done.stdout
    assert "flushed: 200" in done.stdout
    assert "task 1 success" in done.stdout
    assert "\nlearned:\n" in done.stdout


def need_node() -> None:
    """Skip where Node is not there, or fail if it is required."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if "node" in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.fail("node is missing here")
    pytest.skip("node is missing here")
