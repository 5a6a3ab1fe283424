"""Questions about artifacts."""

from collections.abc import Sequence
from typing import Any

import orjson
from psycopg.errors import InvalidRegularExpression, QueryCanceled
from sqlalchemy import ColumnElement, Row, Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from acontext_server.disk.domain import (
    Artifact,
    ContentType,
    DiskId,
    DiskNotFound,
    File,
    InvalidPattern,
    Location,
    Meta,
)
from acontext_server.disk.store.tables import ArtifactRow, BlobRow
from acontext_server.kit.database import Tx, violated
from acontext_server.kit.ids import ProjectId


class BytesGone(Exception):
    """The bytes were removed between their claim and the artifact, because the claim ran out."""


async def find_artifact(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, location: Location
) -> Artifact | None:
    """Read an artifact."""
    query = select(ArtifactRow.__table__).where(*_at(project_id, disk_id, location))
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _artifact(row)


async def lock_artifact(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, location: Location
) -> Artifact | None:
    """Read an artifact and keep others from changing it."""
    query = select(ArtifactRow.__table__).where(*_at(project_id, disk_id, location))
    row = (await tx.execute(query.with_for_update())).one_or_none()
    return None if row is None else _artifact(row)


async def write_artifact(
    tx: Tx, project_id: ProjectId, artifact: Artifact, *, keep_meta: bool
) -> Artifact:
    """Write an artifact, or replace its bytes and perhaps its meta, and read what is there now.

    Raises `DiskNotFound`, and `BytesGone` when its bytes are no longer claimed.
    """
    file = {
        "sha256": artifact.file.sha256,
        "size": artifact.file.size,
        "mime": artifact.file.mime,
        "content_type": artifact.file.content_type,
        "updated_at": artifact.updated_at,
    }
    meta = {"meta": orjson.dumps(artifact.meta)}
    new = {
        "project_id": project_id,
        "disk_id": artifact.disk_id,
        "path": artifact.location.path,
        "filename": artifact.location.filename,
        "created_at": artifact.created_at,
    }
    written = (
        insert(ArtifactRow)
        .values(new | file | meta)
        .on_conflict_do_update(constraint="artifact_pkey", set_=file if keep_meta else file | meta)
        .returning(ArtifactRow.__table__)
    )
    try:
        return _artifact((await tx.execute(written)).one())
    except IntegrityError as error:
        if violated(error) == "artifact_disk":
            raise DiskNotFound(artifact.disk_id) from error
        if violated(error) == "artifact_blob":
            raise BytesGone from error
        raise


async def update_meta(tx: Tx, project_id: ProjectId, artifact: Artifact, meta: Meta) -> Artifact:
    """Replace the user's keys of a locked artifact."""
    updated = (
        update(ArtifactRow)
        .where(*_at(project_id, artifact.disk_id, artifact.location))
        .values(meta=orjson.dumps(meta), updated_at=artifact.updated_at)
        .returning(ArtifactRow.__table__)
    )
    return _artifact((await tx.execute(updated)).one())


async def delete_artifact(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, location: Location
) -> str | None:
    """Remove an artifact and say which bytes it no longer needs; None if there was none."""
    gone = delete(ArtifactRow).where(*_at(project_id, disk_id, location))
    return (await tx.execute(gone.returning(ArtifactRow.sha256))).scalar_one_or_none()


async def list_hashes(tx: Tx, project_id: ProjectId, disk_id: DiskId, limit: int) -> list[str]:
    """Name bytes that a disk needs."""
    query = (
        select(ArtifactRow.sha256)
        .where(ArtifactRow.project_id == project_id, ArtifactRow.disk_id == disk_id)
        .distinct()
        .limit(limit)
    )
    return list((await tx.execute(query)).scalars())


async def list_artifacts(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, path: str
) -> Sequence[Artifact]:
    """Read the artifacts directly in a directory, by file name."""
    query = (
        select(ArtifactRow.__table__)
        .where(*_on(project_id, disk_id), ArtifactRow.path == path)
        .order_by(ArtifactRow.filename)
    )
    return [_artifact(row) for row in await tx.execute(query)]


async def list_directories(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, path: str
) -> Sequence[str]:
    """Name the direct children of a directory that hold anything, sorted."""
    child = func.split_part(func.substr(ArtifactRow.path, len(path) + 1), "/", 1)
    query = (
        select(child)
        .where(
            *_on(project_id, disk_id),
            ArtifactRow.path.startswith(path, autoescape=True),
            ArtifactRow.path != path,
        )
        .distinct()
    )
    return sorted((await tx.execute(query)).scalars())


async def grep_artifacts(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, pattern: str, *, limit: int, seconds: float
) -> Sequence[Artifact]:
    """Find artifacts whose text a regular expression matches, by path and file name.

    Raises `InvalidPattern` for what is no expression and for what takes too long.
    """
    await tx.execute(select(func.set_config("statement_timeout", str(int(seconds * 1000)), True)))
    query = (
        _search(project_id, disk_id, limit)
        .join(
            BlobRow,
            (BlobRow.project_id == ArtifactRow.project_id) & (BlobRow.sha256 == ArtifactRow.sha256),
        )
        .where(ArtifactRow.content_type.is_not(None), BlobRow.text.op("~")(pattern))
    )
    try:
        return [_artifact(row) for row in await tx.execute(query)]
    except DBAPIError as error:
        if isinstance(error.orig, InvalidRegularExpression):
            raise InvalidPattern(str(error.orig.diag.message_primary)) from error
        if isinstance(error.orig, QueryCanceled):
            raise InvalidPattern(f"must not take longer than {seconds:g} seconds") from error
        raise


async def glob_artifacts(
    tx: Tx, project_id: ProjectId, disk_id: DiskId, like: str, *, limit: int
) -> Sequence[Artifact]:
    """Find artifacts whose whole path is like a pattern, with or without its leading slash."""
    whole = ArtifactRow.path + ArtifactRow.filename
    matches = or_(whole.like(like, escape="\\"), func.substr(whole, 2).like(like, escape="\\"))
    query = _search(project_id, disk_id, limit).where(matches)
    return [_artifact(row) for row in await tx.execute(query)]


def _search(project_id: ProjectId, disk_id: DiskId, limit: int) -> Select[Any]:
    return (
        select(ArtifactRow.__table__)
        .where(*_on(project_id, disk_id))
        .order_by(ArtifactRow.path, ArtifactRow.filename)
        .limit(limit)
    )


def _on(project_id: ProjectId, disk_id: DiskId) -> tuple[ColumnElement[bool], ...]:
    return ArtifactRow.project_id == project_id, ArtifactRow.disk_id == disk_id


def _at(
    project_id: ProjectId, disk_id: DiskId, location: Location
) -> tuple[ColumnElement[bool], ...]:
    return (
        *_on(project_id, disk_id),
        ArtifactRow.path == location.path,
        ArtifactRow.filename == location.filename,
    )


def _artifact(row: Row[Any]) -> Artifact:
    content_type = row.content_type
    return Artifact(
        disk_id=DiskId(row.disk_id),
        location=Location(path=row.path, filename=row.filename),
        file=File(
            sha256=row.sha256,
            size=row.size,
            mime=row.mime,
            content_type=None if content_type is None else ContentType(content_type),
        ),
        meta=orjson.loads(row.meta),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
