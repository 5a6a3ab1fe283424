"""Disk with its bytes in a bucket of a real MinIO."""

import asyncio
from uuid import uuid4

import pytest
import urllib3

from acontext.disk import v1 as pb
from acontext_server.kit.config import Settings
from acontext_server.kit.ids import ProjectId
from tests.disk.client import DiskClient, refusal
from tests.services import Platform

pytestmark = pytest.mark.engines

LARGE = bytes(range(256)) * 30_000


@pytest.fixture
async def disk(settings: Settings, minio_url: str, platform: Platform) -> DiskClient:
    settings.blobs_url = f"{minio_url}/disk-{uuid4().hex}?secure=false"
    await platform.start("disk")
    return DiskClient(platform, ProjectId(uuid4()))


async def test_an_artifact_lives_and_goes_in_a_bucket(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/d/a.bin", LARGE)
    request = pb.DownloadArtifactRequest(disk_id=disk_id, file_path="/d/a.bin")
    data, _, headers = await disk.download("DownloadArtifact", request, byte_range="bytes=7-99999")
    assert data == LARGE[7:100_000]
    assert headers["content-range"] == f"bytes 7-99999/{len(LARGE)}"
    public_url = (await disk.get(disk_id, "/d/a.bin")).public_url
    opened = await asyncio.to_thread(urllib3.request, "GET", public_url)
    assert (opened.status, opened.data) == (200, LARGE)
    gone = pb.DeleteArtifactRequest(disk_id=disk_id, file_path="/d/a.bin")
    await disk.call("DeleteArtifact", gone)
    assert (await asyncio.to_thread(urllib3.request, "GET", public_url)).status == 404


async def test_text_comes_back_from_a_bucket(disk: DiskClient) -> None:
    disk_id = await disk.new_disk()
    await disk.upload(disk_id, "/a.md", b"# hello")
    assert (await disk.get(disk_id, "/a.md")).content.raw == "# hello"
    await disk.call("DeleteDisk", pb.DeleteDiskRequest(disk_id=disk_id))
    assert (await refusal(disk.get(disk_id, "/a.md")))[1] == "DISK_NOT_FOUND"
