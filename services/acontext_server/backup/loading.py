"""Reading an archive."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

from acontext_server.backup.installation import ALL, connect, open_blobs_of
from acontext_server.backup.manifest import Manifest, refuse_unfit
from acontext_server.kit import migrations
from acontext_server.kit.blobs import BlobKey, Blobs
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Raw
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.transfer import ArchiveBroken, ArchiveReader, Stream, copy_in
from acontext_server.space import transfer as vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What was written or read."""

    rows: int = 0
    blobs: int = 0
    vectors: int = 0


async def load(settings: Settings, reader: ArchiveReader, manifest: Manifest) -> Carried:
    """Read an archive: a whole one into an installation that is empty, a project's into any.

    All of it is there afterwards, or nothing. Raises Refused where it does not fit.
    """
    if manifest.project_id is None:
        for holdings in ALL:
            revision = manifest.heads[holdings.service]
            await asyncio.to_thread(
                migrations.upgrade, settings.database_url, holdings.service, revision
            )
    async with AsyncExitStack() as running:
        connection = await running.enter_async_context(await connect(settings))
        blobs = await running.enter_async_context(open_blobs_of(settings))
        await refuse_unfit(connection, manifest)
        loading = _Loading(settings, manifest, connection, blobs)
        try:
            carried = await loading.run(reader)
            await connection.commit()
        except BaseException:
            await connection.rollback()
            await loading.undo()
            raise
    if manifest.project_id is None:
        for holdings in ALL:
            await asyncio.to_thread(migrations.upgrade, settings.database_url, holdings.service)
    return carried


class _Loading:
    """Reads the streams of one archive."""

    def __init__(
        self, settings: Settings, manifest: Manifest, connection: Raw, blobs: Blobs
    ) -> None:
        self._manifest = manifest
        self._connection = connection
        self._blobs = blobs
        self._vectors = vectors.Importer(settings, connection)
        self._projects: set[ProjectId] = set()
        self._embedding_spaces: list[str] = []

    async def run(self, reader: ArchiveReader) -> Carried:
        await self._vectors.prepare()
        rows = blobs = found = 0
        async for stream in reader.streams():
            kind, _, name = stream.name.partition("/")
            match kind:
                case "blobs":
                    await self._take_blob(name, stream)
                    blobs += 1
                case "rows":
                    columns = self._manifest.tables[name]
                    rows += await copy_in(self._connection, name, columns, stream.chunks)
                case "vectors":
                    found += await self._take_vectors(vectors.from_word(name), stream)
                case _:
                    raise ArchiveBroken(f"the archive holds {stream.name}, which nobody knows")
        if self._manifest.project_id is not None:
            await self._vectors.finish(ProjectId(self._manifest.project_id))
        return Carried(rows=rows, blobs=blobs, vectors=found)

    async def undo(self) -> None:
        """Remove what a failed import has left outside PostgreSQL."""
        for project_id in self._projects:
            for holdings in ALL:
                await self._blobs.delete_all(project_id, holdings.service)
        if self._manifest.project_id is not None:
            project_id = ProjectId(self._manifest.project_id)
            await self._vectors.forget(project_id, self._embedding_spaces)

    async def _take_blob(self, name: str, stream: Stream) -> None:
        project_id, service, sha256 = name.split("/")
        key = BlobKey(project_id=ProjectId(UUID(project_id)), service=service, sha256=sha256)
        self._projects.add(key.project_id)
        async with self._blobs.spool() as spool:
            async for chunk in stream.chunks:
                await spool.write(chunk)
            if spool.sha256 != sha256:
                raise ArchiveBroken(f"the bytes of {name} are not those of that name")
            await self._blobs.put(key, spool)

    async def _take_vectors(self, embedding_space: str, stream: Stream) -> int:
        if not await self._vectors.knows(embedding_space):
            async for _ in stream.chunks:
                pass
            return 0
        self._embedding_spaces.append(embedding_space)
        return await self._vectors.take(embedding_space, stream.chunks)
