"""Real engines that are not in any wheel: looked for, and skipped by name when missing."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3


@pytest.fixture(scope="session")
def minio_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MinIO server of its own, as an `s3://` URL without the bucket."""
    binary = _find("minio")
    port, console = _free_port(), _free_port()
    command = [binary, "server", "--address", f"127.0.0.1:{port}"]
    command += ["--console-address", f"127.0.0.1:{console}", str(tmp_path_factory.mktemp("minio"))]
    secrets = {"MINIO_ROOT_USER": "acontext", "MINIO_ROOT_PASSWORD": "a secret/word"}
    server = subprocess.Popen(
        command,
        env=os.environ | secrets | {"MINIO_BROWSER": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}/minio/health/ready")
        yield f"s3://acontext:a%20secret%2Fword@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


def _find(engine: str) -> str:
    found = shutil.which(engine) or shutil.which(engine, path=Path.home() / "go" / "bin")
    if found is None:
        missing = f"{engine} is not built here"
        if engine in os.environ.get("REQUIRE_ENGINES", "").split(","):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if urllib3.request("GET", url, retries=False, timeout=1).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer")
