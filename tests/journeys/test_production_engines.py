"""The same loop with files in MinIO and vectors in Weaviate."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from acontext_server.demo.gateway import open_gateway
from tests.engines import state_folder
from tests.journeys.system import KEY, System, running

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def production(minio_url: str, weaviate_url: str) -> Iterator[System]:
    """A system whose blobs and vectors are elsewhere."""
    elsewhere = {
        "ACONTEXT_BLOBS_URL": f"{minio_url}/journeys?secure=false",
        "ACONTEXT_VECTORS_URL": weaviate_url,
    }
    with state_folder() as folder:
        yield from running(System(folder, elsewhere))


def test_the_loop_is_closed_with_vectors_in_weaviate(production: System) -> None:
    program = str(Path(__file__).with_name("native_program.py"))
    command = [sys.executable, "-W", "error", program, production.address, KEY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("the loop is closed\n", 0), done.stderr


async def test_a_file_in_minio_opens_without_a_key(production: System, minio_url: str) -> None:
    async with open_gateway(production.address, KEY) as gateway:
        url = await gateway.keep_file("/notes/a.txt", b"kept in MinIO")
    assert minio_url.rpartition("@")[2] in url
    assert await asyncio.to_thread(read, url) == b"kept in MinIO"


def read(url: str) -> bytes:
    with urlopen(url, timeout=10) as opened:
        content: bytes = opened.read()
        return content
