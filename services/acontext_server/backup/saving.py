"""Writing an archive."""

from contextlib import AsyncExitStack
from typing import BinaryIO

from psycopg import sql

from acontext_server.backup.installation import ALL, connect, open_blobs_of
from acontext_server.backup.manifest import Refused, make_manifest
from acontext_server.kit.blobs import BlobKey, Blobs
from acontext_server.kit.config import Settings
from acontext_server.kit.database import Raw
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.transfer import (
    ArchiveWriter,
    Holdings,
    bytes_stay,
    copy_out,
    write_archive,
)
from acontext_server.space import transfer as vectors


async def save(settings: Settings, file: BinaryIO, project_id: ProjectId | None = None) -> None:
    """Write an archive of the installation or of one project, as it is at one moment.

    Everything may go on meanwhile, but bytes that are deleted are removed only afterwards. Raises
    Refused when there is no such project.
    """
    async with AsyncExitStack() as running:
        enter = running.enter_async_context
        beside = await enter(await connect(settings))
        await beside.set_autocommit(True)
        await enter(bytes_stay(beside))
        snapshot = await enter(await connect(settings))
        await snapshot.execute("set transaction isolation level repeatable read, read only")
        blobs = await enter(open_blobs_of(settings))
        if project_id is not None:
            await _require(snapshot, project_id)
        manifest = await make_manifest(snapshot, settings, project_id)
        writer = await enter(write_archive(file, manifest.model_dump(mode="json")))
        for holdings in ALL:
            await _save_blobs(snapshot, blobs, writer, holdings, project_id)
        for holdings in ALL:
            for table in holdings.tables(whole=project_id is None):
                where = holdings.of_a_project.get(table.name)
                rows = copy_out(snapshot, table, project_id, where=where)
                await writer.add(f"rows/{table.fullname}", rows)
        exporter = vectors.Exporter(settings=settings, snapshot=snapshot, present=beside)
        for name in await exporter.embedding_spaces():
            await writer.add(f"vectors/{vectors.to_word(name)}", exporter.lines(name, project_id))


async def _save_blobs(
    snapshot: Raw,
    blobs: Blobs,
    writer: ArchiveWriter,
    holdings: Holdings,
    project_id: ProjectId | None,
) -> None:
    if holdings.blobs is None:
        return
    question = sql.SQL("select project_id, sha256 from ({}) as needed").format(
        sql.SQL(holdings.blobs)
    )
    if project_id is not None:
        question += sql.SQL(" where project_id = {}").format(sql.Literal(project_id))
    async with snapshot.cursor(name="needed") as needed:
        await needed.execute(question)
        async for owner, sha256 in needed:
            key = BlobKey(project_id=ProjectId(owner), service=holdings.service, sha256=sha256)
            async with blobs.open(key) as chunks:
                await writer.add(f"blobs/{key}", chunks)


async def _require(snapshot: Raw, project_id: ProjectId) -> None:
    question = "select from session.project where project_id = %s and deleted_at is null"
    if await (await snapshot.execute(question, [project_id])).fetchone() is None:
        raise Refused(f"there is no project {project_id}")
