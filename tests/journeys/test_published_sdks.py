"""The Python SDKs, published and ours, walk through the README against an embedded system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.system import KEY, System
from tests.kept import kept

WALK_THROUGH = Path(__file__).with_name("walk_through.py")


@pytest.mark.parametrize("version", ["0.0.8", "0.1.3", "ours"])
def test_an_sdk_walks_through_the_readme(version: str, system: System) -> None:
    python = sys.executable if version == "ours" else str(interpreter_with_sdk(version))
    walked = subprocess.run(
        [python, "-W", "error", str(WALK_THROUGH)],
        env={
            "PATH": os.environ["PATH"],
            "ACONTEXT_BASE_URL": system.url,
            "ACONTEXT_API_KEY": KEY,
        },
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (walked.stdout, walked.returncode) == ("walked through\n", 0), walked.stderr


def interpreter_with_sdk(version: str) -> Path:
    """Give the Python of an environment with this SDK alone, made once and kept in build/.

    An environment of its own, because the SDK and our stubs have the same import name.
    """

    def make(home: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*install, f"acontext=={version}"], check=True)

    return kept(f"venvs/acontext-{version}", make) / "bin" / "python"
