"""What `make test-compose` says where there is no Docker engine."""

import subprocess
import sys
from pathlib import Path


def test_where_docker_is_missing_it_says_so_and_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-m", "compose", "-n", "0", "tests/compose"]
    ended = subprocess.run(
        command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    missing = "docker is missing here: apt-get install docker.io"
    assert f"make test-compose needs a Docker engine: {missing}" in ended.stdout
    assert "skipped" not in ended.stdout
