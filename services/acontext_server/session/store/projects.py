"""Projects and the keys that open them. By these a project is found, so they alone look across."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.session.domain import ApiKey, KeyId, Project
from acontext_server.session.store.tables import ApiKeyRow, BlobRow, ProjectRow, request

USED_EVERY = timedelta(minutes=1)
"""How often a key's last use is written down."""

_PROJECT = (ProjectRow.project_id, ProjectRow.name, ProjectRow.created_at, ProjectRow.updated_at)
_KEY = (
    ApiKeyRow.key_id,
    ApiKeyRow.project_id,
    ApiKeyRow.prefix,
    ApiKeyRow.created_at,
    ApiKeyRow.last_used_at,
    ApiKeyRow.expires_at,
)


async def lock_first_start(tx: Tx) -> None:
    """Let only one process at a time look whether this is the first start."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtext("session.first_start"))))


async def insert_project(tx: Tx, project_id: ProjectId, name: str) -> Project:
    """Add a project."""
    row = {"project_id": project_id, "name": name}
    inserted = insert(ProjectRow).values(row).returning(*_PROJECT)
    return _project((await tx.execute(inserted)).one())


async def find_project(tx: Tx, project_id: ProjectId) -> Project | None:
    """Find a project that lives."""
    query = select(*_PROJECT).where(_lives(project_id))
    row = (await tx.execute(query)).one_or_none()
    return _project(row) if row else None


async def any_project(tx: Tx) -> bool:
    """Say whether there has ever been a project."""
    return (await tx.execute(select(ProjectRow.project_id).limit(1))).first() is not None


async def list_projects(
    tx: Tx, *, after: tuple[datetime, UUID] | None, descending: bool, limit: int
) -> Sequence[Project]:
    """Page through the projects that live."""
    query = select(*_PROJECT).where(ProjectRow.deleted_at.is_(None))
    paged = by_time(
        query,
        ProjectRow.created_at,
        ProjectRow.project_id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_project(row) for row in await tx.execute(paged)]


async def rename_project(tx: Tx, project_id: ProjectId, name: str) -> None:
    """Give a project another name."""
    values = {"name": name, "updated_at": func.clock_timestamp()}
    await tx.execute(update(ProjectRow).where(_lives(project_id)).values(values))


async def bury_project(tx: Tx, project_id: ProjectId) -> bool:
    """Close a project to everybody; False if it was closed or never there."""
    closed = update(ProjectRow).where(_lives(project_id)).values(deleted_at=func.clock_timestamp())
    return (await tx.execute(closed.returning(ProjectRow.project_id))).first() is not None


async def settings_of(tx: Tx, project_id: ProjectId, *, lock: bool = False) -> bytes | None:
    """Read the settings as they were written; None for a project that does not live."""
    query = select(ProjectRow.settings).where(_lives(project_id))
    return (await tx.execute(query.with_for_update() if lock else query)).scalar()


async def write_settings(tx: Tx, project_id: ProjectId, settings: bytes) -> None:
    """Replace the settings."""
    values = {"settings": settings, "updated_at": func.clock_timestamp()}
    await tx.execute(update(ProjectRow).where(_lives(project_id)).values(values))


async def insert_key(
    tx: Tx, project_id: ProjectId, key_id: KeyId, *, key_hash: bytes, prefix: str
) -> ApiKey:
    """Add a key."""
    row = {"project_id": project_id, "key_id": key_id, "hash": key_hash, "prefix": prefix}
    return _key((await tx.execute(insert(ApiKeyRow).values(row).returning(*_KEY))).one())


async def list_keys(tx: Tx, project_id: ProjectId) -> Sequence[ApiKey]:
    """Give the keys that work, oldest first."""
    query = (
        select(*_KEY)
        .where(ApiKeyRow.project_id == project_id, _works())
        .order_by(ApiKeyRow.created_at, ApiKeyRow.key_id)
    )
    return [_key(row) for row in await tx.execute(query)]


async def end_key(
    tx: Tx, project_id: ProjectId, key_id: KeyId, *, overlap: timedelta
) -> ApiKey | None:
    """Let a key work for a while longer and no more; an end that is nearer stays."""
    end = func.least(ApiKeyRow.expires_at, func.clock_timestamp() + overlap)
    ended = (
        update(ApiKeyRow)
        .where(ApiKeyRow.project_id == project_id, ApiKeyRow.key_id == key_id, _works())
        .values(expires_at=end)
        .returning(*_KEY)
    )
    row = (await tx.execute(ended)).one_or_none()
    return _key(row) if row else None


async def delete_key(tx: Tx, project_id: ProjectId, key_id: KeyId) -> bool:
    """Remove a key; False if it was not there."""
    gone = delete(ApiKeyRow).where(ApiKeyRow.project_id == project_id, ApiKeyRow.key_id == key_id)
    return (await tx.execute(gone.returning(ApiKeyRow.key_id))).first() is not None


async def find_key(tx: Tx, key_hash: bytes) -> tuple[ApiKey, bytes] | None:
    """Find the key of a hash if it works, with its project's settings, and note its use."""
    query = (
        select(*_KEY, ProjectRow.settings)
        .join(ProjectRow, ProjectRow.project_id == ApiKeyRow.project_id)
        .where(ApiKeyRow.hash == key_hash, _works(), ProjectRow.deleted_at.is_(None))
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    key = _key(row)
    stale = func.clock_timestamp() - USED_EVERY
    note = (
        update(ApiKeyRow)
        .where(
            ApiKeyRow.project_id == key.project_id,
            ApiKeyRow.key_id == key.id,
            or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < stale),
        )
        .values(last_used_at=func.clock_timestamp())
    )
    await tx.execute(note)
    return key, row.settings


async def delete_keys(tx: Tx, project_id: ProjectId) -> None:
    """Remove all keys of a project."""
    await tx.execute(delete(ApiKeyRow).where(ApiKeyRow.project_id == project_id))


async def delete_project(tx: Tx, project_id: ProjectId) -> None:
    """Remove a project's tombstone with all that hangs on it, and what hangs on nothing."""
    await tx.execute(delete(request).where(request.c.project_id == project_id))
    await tx.execute(delete(BlobRow).where(BlobRow.project_id == project_id))
    await tx.execute(delete(ProjectRow).where(ProjectRow.project_id == project_id))


def _lives(project_id: ProjectId) -> ColumnElement[bool]:
    return and_(ProjectRow.project_id == project_id, ProjectRow.deleted_at.is_(None))


def _works() -> ColumnElement[bool]:
    return or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.clock_timestamp())


def _project(row: Row[*tuple[Any, ...]]) -> Project:
    return Project(
        id=ProjectId(row.project_id),
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _key(row: Row[*tuple[Any, ...]]) -> ApiKey:
    return ApiKey(
        id=KeyId(row.key_id),
        project_id=ProjectId(row.project_id),
        prefix=row.prefix,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
    )
