"""What can be done with artifacts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from acontext_server.disk import content, paths
from acontext_server.disk.app.disks import Announce
from acontext_server.disk.app.sweep import Sweep, key_of
from acontext_server.disk.domain import (
    Artifact,
    ArtifactChanged,
    ArtifactNotFound,
    DiskId,
    DiskNotFound,
    File,
    Location,
    Meta,
)
from acontext_server.disk.store import artifacts as store
from acontext_server.disk.store import blobs as claims
from acontext_server.disk.store import disks
from acontext_server.kit.blobs import BlobMissing, Blobs, Spool
from acontext_server.kit.database import Database, Tx
from acontext_server.kit.errors import Conflict
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.mime import mime_of

CLAIMED_FOR = timedelta(hours=1)
TRIES = 3
GREP_SECONDS = 10.0
_SNIFFED = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that has arrived and is to become an artifact."""

    disk_id: DiskId
    location: Location
    spool: Spool
    meta: Meta | None
    """None keeps what an artifact there has."""


class ArtifactApp:
    """The verbs of artifacts."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        sweep: Sweep,
        *,
        announce: Announce,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._sweep = sweep
        self._announce = announce
        self._now = now
        self._new_id = new_id

    def spool(self) -> Spool:
        """Make the place where an upload waits until it has arrived."""
        return self._blobs.spool()

    async def check_disk(self, project_id: ProjectId, disk_id: DiskId) -> None:
        """Raise DiskNotFound before anybody sends gigabytes to a disk that is not there."""
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)

    async def upload_artifact(self, project_id: ProjectId, upload: Upload) -> Artifact:
        """Write a file: it appears whole or not at all, and replaces what was there."""
        file, text = await _described(upload)
        for _ in range(TRIES):
            try:
                return await self._write(project_id, upload, file, text)
            except store.BytesGone:
                continue
        raise Conflict

    async def get_artifact(
        self, project_id: ProjectId, disk_id: DiskId, location: Location
    ) -> Artifact:
        """Find an artifact."""
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            found = await store.find_artifact(tx, project_id, disk_id, location)
        if found is None:
            raise ArtifactNotFound(disk_id)
        return found

    async def read_text(self, project_id: ProjectId, artifact: Artifact) -> str | None:
        """Read the text of an artifact, if it has text that is handed out."""
        if artifact.file.content_type is None:
            return None
        async with self.open_artifact(project_id, artifact) as chunks:
            return content.text_of(b"".join([chunk async for chunk in chunks]))

    def public_url(self, project_id: ProjectId, artifact: Artifact, expires_in: timedelta) -> str:
        """Make a URL that opens without a key."""
        return self._blobs.public_url(
            key_of(project_id, artifact.file.sha256),
            expires_in=expires_in,
            mime=artifact.file.mime,
            filename=artifact.location.filename,
        ).url

    @asynccontextmanager
    async def open_artifact(
        self,
        project_id: ProjectId,
        artifact: Artifact,
        *,
        offset: int = 0,
        length: int | None = None,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read bytes of an artifact. Raises Conflict if it was replaced since it was found."""
        key = key_of(project_id, artifact.file.sha256)
        try:
            async with self._blobs.open(key, offset=offset, length=length) as chunks:
                yield chunks
        except BlobMissing:
            now = await self.get_artifact(project_id, artifact.disk_id, artifact.location)
            if now.file.sha256 != artifact.file.sha256:
                raise Conflict from None
            raise

    async def list_artifacts(
        self, project_id: ProjectId, disk_id: DiskId, path: str
    ) -> tuple[Sequence[Artifact], Sequence[str]]:
        """Give what stands directly in a directory: artifacts, and names of directories."""
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            files = await store.list_artifacts(tx, project_id, disk_id, path)
            return files, await store.list_directories(tx, project_id, disk_id, path)

    async def update_artifact(
        self, project_id: ProjectId, disk_id: DiskId, location: Location, meta: Meta
    ) -> Artifact:
        """Replace the user's keys."""
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            found = await store.lock_artifact(tx, project_id, disk_id, location)
            if found is None:
                raise ArtifactNotFound(disk_id)
            moved = replace(found, updated_at=self._now())
            updated = await store.update_meta(tx, project_id, moved, meta)
            await self._announce(tx, project_id, _changed(updated))
        return updated

    async def delete_artifact(
        self, project_id: ProjectId, disk_id: DiskId, location: Location
    ) -> None:
        """Remove an artifact, and its bytes if no other has the same."""
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            sha256 = await store.delete_artifact(tx, project_id, disk_id, location)
            if sha256 is None:
                raise ArtifactNotFound(disk_id)
            gone = ArtifactChanged(disk_id=disk_id, location=location, removed=True)
            await self._announce(tx, project_id, gone)
        await self._sweep.soon(project_id, [sha256])

    async def grep_artifacts(
        self, project_id: ProjectId, disk_id: DiskId, pattern: str, limit: int
    ) -> Sequence[Artifact]:
        """Find artifacts by their text."""
        paths.check_query(pattern)
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            return await store.grep_artifacts(
                tx, project_id, disk_id, pattern, limit=limit, seconds=GREP_SECONDS
            )

    async def glob_artifacts(
        self, project_id: ProjectId, disk_id: DiskId, glob: str, limit: int
    ) -> Sequence[Artifact]:
        """Find artifacts by their path."""
        like = paths.like_pattern(glob)
        async with self._database.transaction() as tx:
            await self._need_disk(tx, project_id, disk_id)
            return await store.glob_artifacts(tx, project_id, disk_id, like, limit=limit)

    async def _write(
        self, project_id: ProjectId, upload: Upload, file: File, text: str | None
    ) -> Artifact:
        claim_id = self._new_id()
        async with self._database.transaction() as tx:
            until = self._now() + CLAIMED_FOR
            await claims.claim(tx, project_id, claim_id, file.sha256, until=until)
        await self._blobs.put(key_of(project_id, file.sha256), upload.spool)
        async with self._database.transaction() as tx:
            artifact, released = await self._replace(tx, project_id, upload, file)
            if text is not None:
                await claims.set_text(tx, project_id, file.sha256, text)
            await claims.end_claim(tx, project_id, claim_id)
        await self._sweep.soon(project_id, released)
        return artifact

    async def _replace(
        self, tx: Tx, project_id: ProjectId, upload: Upload, file: File
    ) -> tuple[Artifact, list[str]]:
        before = await store.lock_artifact(tx, project_id, upload.disk_id, upload.location)
        now = self._now()
        new = Artifact(
            disk_id=upload.disk_id,
            location=upload.location,
            file=file,
            meta=upload.meta or {},
            created_at=now,
            updated_at=now,
        )
        written = await store.write_artifact(tx, project_id, new, keep_meta=upload.meta is None)
        await self._announce(tx, project_id, _changed(written))
        return written, [before.file.sha256] if before else []

    async def _need_disk(self, tx: Tx, project_id: ProjectId, disk_id: DiskId) -> None:
        if not await disks.has_disk(tx, project_id, disk_id):
            raise DiskNotFound(disk_id)


async def _described(upload: Upload) -> tuple[File, str | None]:
    """Say what the bytes are, and which text of them can be searched."""
    spool, filename = upload.spool, upload.location.filename
    if spool.size > content.LARGEST_CONTENT:
        mime = mime_of(await spool.read(0, _SNIFFED), filename, cut=True)
        return File(sha256=spool.sha256, size=spool.size, mime=mime, content_type=None), None
    return await asyncio.to_thread(_described_whole, await spool.read(), spool.sha256, filename)


def _described_whole(data: bytes, sha256: str, filename: str) -> tuple[File, str | None]:
    mime = mime_of(data, filename)
    content_type = content.content_type_of(filename, mime, data)
    file = File(sha256=sha256, size=len(data), mime=mime, content_type=content_type)
    return file, None if content_type is None else content.searchable_text(data)


def _changed(artifact: Artifact) -> ArtifactChanged:
    return ArtifactChanged(disk_id=artifact.disk_id, location=artifact.location)
