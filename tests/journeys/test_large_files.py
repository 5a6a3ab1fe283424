"""One gibibyte up and down through the gateway, on MinIO: memory stays where it was."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat

import grpc
import httpx
import psutil
import pytest

from acontext.disk import v1 as disk
from acontext_server.serve import SERVICES
from tests.engines import state_folder
from tests.journeys.production import KEY, REPLICAS, Production, production_beside
from tests.journeys.system import AS_PROJECT

pytestmark = [pytest.mark.engines, pytest.mark.slow]

SIZE = 2**30
PIECE = bytes(range(256)) * 4096
LARGEST_GROWTH = 64 * 2**20
OURS = ["envoy", *(f"{service}-{number}" for service in SERVICES for number in REPLICAS)]


@pytest.fixture
def production() -> Iterator[Production]:
    with state_folder() as folder, production_beside(folder) as running:
        yield running


@contextmanager
def growth_of(processes: dict[str, psutil.Process]) -> Iterator[dict[str, int]]:
    """Watch how far each process grows, many times a second."""
    began = {name: process.memory_info().rss for name, process in processes.items()}
    growth = dict.fromkeys(processes, 0)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for name, process in processes.items():
                growth[name] = max(growth[name], process.memory_info().rss - began[name])

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield growth
    finally:
        over.set()
        watching.join()


@pytest.mark.timeout(600)
def test_a_gibibyte_goes_up_and_down_and_nobody_grows_with_it(production: Production) -> None:
    programs = {name: production.process(name) for name in production.names}
    headers = {"authorization": f"Bearer {KEY}"}
    with (
        httpx.Client(base_url=production.url, headers=headers, timeout=300) as http,
        grpc.insecure_channel(production.address) as channel,
    ):
        stub = disk.DiskServiceStub(channel)
        small_disk, disk_id = (http.post("/disk", json={}).json()["data"]["id"] for _ in "ab")
        for _ in REPLICAS:  # each has done everything once before it is measured
            upload(stub, small_disk, pieces=8)
            download(http, small_disk)
        with growth_of(programs) as growth:
            upload(stub, disk_id, pieces=SIZE // len(PIECE))
            size, sha256 = download(http, disk_id)
    told = {name: f"{grown >> 20} MiB" for name, grown in growth.items()}
    print(f"grown by at most: {told}")
    whole = hashlib.sha256()
    for piece in repeat(PIECE, SIZE // len(PIECE)):
        whole.update(piece)
    assert (size, sha256) == (SIZE, whole.hexdigest())
    assert {name: growth[name] for name in OURS if growth[name] > LARGEST_GROWTH} == {}, told


def upload(stub: disk.DiskServiceStub, disk_id: str, *, pieces: int) -> None:
    def requests() -> Iterator[disk.UploadArtifactRequest]:
        head = disk.UploadHead(disk_id=disk_id, file_path="/large/one.bin")
        yield disk.UploadArtifactRequest(head=head)
        yield from repeat(disk.UploadArtifactRequest(chunk=PIECE), pieces)

    stored = stub.UploadArtifact(requests(), metadata=AS_PROJECT, timeout=300)
    assert stored.artifact.filename == "one.bin"


def download(http: httpx.Client, disk_id: str) -> tuple[int, str]:
    place = {"file_path": "/large/one.bin"}
    digest, size = hashlib.sha256(), 0
    with http.stream("GET", f"/disk/{disk_id}/artifact/download", params=place) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_bytes():
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()
