"""Spaces: rows, and the locks that order what happens in one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, select, update

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.space.domain.spaces import Space
from acontext_server.space.store.tables import SpaceRow

_COLUMNS = (
    SpaceRow.id,
    SpaceRow.project_id,
    SpaceRow.user_id,
    SpaceRow.configs,
    SpaceRow.created_at,
    SpaceRow.updated_at,
)


async def insert_space(tx: Tx, space: Space) -> None:
    """Keep a new space."""
    row = {
        "project_id": space.project_id,
        "id": space.id,
        "user_id": space.user_id,
        "configs": dict(space.configs),
        "created_at": space.created_at,
        "updated_at": space.updated_at,
    }
    await tx.execute(insert(SpaceRow).values(row))


async def find_space(tx: Tx, project_id: ProjectId, space_id: UUID) -> Space | None:
    """Read one space."""
    found = await tx.execute(select(*_COLUMNS).where(*_is(project_id, space_id)))
    row = found.one_or_none()
    return _space(row) if row else None


async def lock_tree(tx: Tx, project_id: ProjectId, space_id: UUID) -> bool:
    """Make other changes of the space's tree wait for this transaction; False without a space."""
    statement = select(SpaceRow.id).where(*_is(project_id, space_id)).with_for_update()
    return (await tx.execute(statement)).scalar() is not None


async def list_spaces(
    tx: Tx,
    project_id: ProjectId,
    *,
    user_id: UUID | None,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Space]:
    """Read a page of spaces, and one more."""
    statement = select(*_COLUMNS).where(SpaceRow.project_id == project_id)
    if user_id is not None:
        statement = statement.where(SpaceRow.user_id == user_id)
    paged = by_time(
        statement,
        SpaceRow.created_at,
        SpaceRow.id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_space(row) for row in await tx.execute(paged)]


async def update_configs(
    tx: Tx, project_id: ProjectId, space_id: UUID, configs: Mapping[str, Any], now: datetime
) -> bool:
    """Replace a space's configs; False without a space."""
    changed = (
        update(SpaceRow)
        .where(*_is(project_id, space_id))
        .values(configs=dict(configs), updated_at=now)
    )
    return (await tx.execute(changed)).rowcount > 0


async def delete_space(tx: Tx, project_id: ProjectId, space_id: UUID) -> None:
    """Remove a space with everything in it."""
    await tx.execute(delete(SpaceRow).where(*_is(project_id, space_id)))


async def spaces_of(tx: Tx, project_id: ProjectId, user_id: UUID | None = None) -> Sequence[UUID]:
    """Name a user's spaces, or all of a project."""
    statement = select(SpaceRow.id).where(SpaceRow.project_id == project_id)
    if user_id is not None:
        statement = statement.where(SpaceRow.user_id == user_id)
    return (await tx.execute(statement.order_by(SpaceRow.id))).scalars().all()


async def count_spaces(tx: Tx, project_id: ProjectId, user_id: UUID) -> int:
    """Count a user's spaces."""
    statement = select(func.count()).where(
        SpaceRow.project_id == project_id, SpaceRow.user_id == user_id
    )
    return (await tx.execute(statement)).scalar_one()


def _is(project_id: ProjectId, space_id: UUID) -> tuple[Any, Any]:
    return SpaceRow.project_id == project_id, SpaceRow.id == space_id


def _space(row: Row[Any]) -> Space:
    return Space(**row._mapping)
