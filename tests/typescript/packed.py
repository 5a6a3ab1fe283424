"""The client's npm package, built once, and empty homes that it is installed into."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "clients" / "typescript"


@dataclass(frozen=True, slots=True)
class Package:
    """What `npm pack` made."""

    archive: Path
    size: int
    """Bytes of the archive."""
    files: Sequence[str]


def need_node() -> None:
    """Skip where Node is not there, or fail if it is required."""
    if shutil.which("node") and shutil.which("npm"):
        return
    if "node" in os.environ.get("REQUIRE_ENGINES", "").split(","):
        pytest.fail("node is missing here")
    pytest.skip("node is missing here")


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """Run a program to its good end and give what it said."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=inherited() | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def inherited() -> dict[str, str]:
    """Give the environment without what would steer a client."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ACONTEXT_")}


def pack(folder: Path) -> Package:
    """Build the client, its examples and journeys, and pack it."""
    if not (CLIENT / "node_modules").exists():
        run(["npm", "ci", "--silent"], CLIENT)
    run(["npx", "tsc", "--project", "tsconfig.tests.json"], CLIENT)
    told = json.loads(run(["npm", "pack", "--json", "--pack-destination", folder], CLIENT))
    (one,) = told if isinstance(told, list) else told.values()
    files = [file["path"] for file in one["files"]]
    return Package(folder / one["filename"], int(one["size"]), files)


def home(folder: Path, *packages: str | Path) -> Path:
    """Make a home with these packages and nothing else, and with our programs to run there."""
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    install = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
    run([*install, *packages], folder)
    for programs in ("examples", "tests/journeys"):
        shutil.copytree(CLIENT / "build" / programs, folder / programs)
    return folder


def node(program: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run one of our programs in a home."""
    return run(["node", program], folder, **environment)
