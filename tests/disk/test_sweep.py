"""Decision 0010: no order of events leaves an artifact without bytes, or bytes for good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from acontext_server.disk.app import ArtifactApp, Sweep, Upload
from acontext_server.disk.app.sweep import key_of
from acontext_server.disk.domain import Artifact, Disk, DiskId, Event, Location
from acontext_server.disk.store import blobs as store
from acontext_server.disk.store import disks
from acontext_server.kit.blobs import BlobKey, Spool
from acontext_server.kit.blobs.file import FileBlobs, open_file_blobs
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Database, Tx, open_database
from acontext_server.kit.ids import ProjectId, uuid7
from tests.disk.client import kept

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
PROJECT = ProjectId(uuid4())


class SweptBlobs(FileBlobs):
    """Files, of which a sweep takes what was put last, once, before the artifact is written."""

    sweep: Sweep | None = None

    async def put(self, key: BlobKey, spool: Spool) -> None:
        await super().put(key, spool)
        if self.sweep is not None:
            sweep, self.sweep = self.sweep, None
            await sweep.all()


@dataclass(frozen=True)
class Room:
    """Everything that uploads and sweeps, without a server around it."""

    database: Database
    blobs: SweptBlobs
    artifacts: ArtifactApp
    disk_id: DiskId

    def sweep(self, now: datetime) -> Sweep:
        return Sweep(self.database, self.blobs, now=lambda: now)

    async def upload(self, data: bytes) -> Artifact:
        async with self.blobs.spool() as spool:
            await spool.write(data)
            location = Location(path="/", filename="a.txt")
            upload = Upload(disk_id=self.disk_id, location=location, spool=spool, meta=None)
            return await self.artifacts.upload_artifact(PROJECT, upload)

    async def claim(self, sha256: str) -> None:
        async with self.database.transaction() as tx:
            await store.claim(tx, PROJECT, uuid7(), sha256, until=NOW + timedelta(hours=1))

    async def read(self, artifact: Artifact) -> bytes:
        async with self.artifacts.open_artifact(PROJECT, artifact) as chunks:
            return b"".join([chunk async for chunk in chunks])


async def tell_nobody(tx: Tx, project_id: ProjectId, *events: Event) -> None:
    """Announce nothing: who listens is not the question here."""


@pytest.fixture
async def room(settings: Settings) -> AsyncIterator[Room]:
    async with (
        open_database(settings.database_url, pool=5) as database,
        open_file_blobs(settings.blobs_url, public_url="", secret=b"s") as files,
    ):
        blobs = SweptBlobs(files._folder, public_url="", tokens=files._tokens)
        disk = Disk(
            id=DiskId(uuid7()), project_id=PROJECT, user_id=None, created_at=NOW, updated_at=NOW
        )
        async with database.transaction() as tx:
            await disks.insert_disk(tx, disk)
        artifacts = ArtifactApp(
            database,
            blobs,
            Sweep(database, blobs, now=lambda: NOW),
            announce=tell_nobody,
            now=lambda: NOW,
            new_id=uuid7,
        )
        yield Room(database, blobs, artifacts, disk.id)


async def test_a_killed_upload_keeps_its_bytes_only_as_long_as_its_claim(
    room: Room, tmp_path: Path
) -> None:
    async with room.blobs.spool() as spool:
        await spool.write(b"never an artifact")
        await room.claim(spool.sha256)
        await room.blobs.put(key_of(PROJECT, spool.sha256), spool)
    await room.sweep(NOW).all()
    assert len(kept(tmp_path)) == 1
    await room.sweep(LATER).all()
    assert kept(tmp_path) == []


async def test_an_upload_that_outlives_its_claim_puts_its_bytes_again(room: Room) -> None:
    room.blobs.sweep = room.sweep(LATER)
    artifact = await room.upload(b"slow")
    assert room.blobs.sweep is None
    assert await room.read(artifact) == b"slow"


async def test_bytes_that_an_artifact_needs_are_never_swept(room: Room) -> None:
    artifact = await room.upload(b"needed")
    await room.sweep(LATER).all()
    await room.sweep(LATER).soon(PROJECT, [artifact.file.sha256])
    assert await room.read(artifact) == b"needed"


async def test_a_claim_waits_for_a_sweep_under_way_and_puts_anew(room: Room) -> None:
    sha256 = "0" * 64
    await room.claim(sha256)
    async with room.database.transaction() as sweeping:
        await store.end_expired_claims(sweeping, before=LATER)
    async with room.database.transaction() as sweeping:
        assert await store.lock_unneeded(sweeping, PROJECT, [sha256]) == [sha256]
        claiming = asyncio.create_task(room.claim(sha256))
        await asyncio.sleep(0.1)
        assert not claiming.done()
        await store.forget(sweeping, PROJECT, [sha256])
    await claiming
    async with room.database.transaction() as tx:
        assert await store.lock_unneeded(tx, PROJECT, [sha256]) == []
        assert await store.list_unneeded(tx, 10) == []


async def test_a_claim_under_way_stops_a_sweep(room: Room) -> None:
    sha256 = "0" * 64
    async with room.database.transaction() as claiming:
        await store.claim(claiming, PROJECT, uuid7(), sha256, until=LATER)
        async with room.database.transaction() as sweeping:
            assert await store.lock_unneeded(sweeping, PROJECT, [sha256]) == []


async def test_a_sweep_that_died_halfway_is_finished_by_the_next(
    room: Room, tmp_path: Path
) -> None:
    await room.claim("0" * 64)
    await room.sweep(LATER).all()
    async with room.database.transaction() as tx:
        assert await store.list_unneeded(tx, 10) == []
    assert kept(tmp_path) == []
