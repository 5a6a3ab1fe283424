"""Questions about disks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, insert, select

from acontext_server.disk.domain import Disk, DiskId, DiskStatistics, UserId
from acontext_server.disk.store.tables import (
    ArtifactRow,
    BlobRow,
    ClaimRow,
    DiskRow,
    outbox,
    request,
)
from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time


async def insert_disk(tx: Tx, disk: Disk) -> None:
    """Write a new disk."""
    row = {
        "project_id": disk.project_id,
        "disk_id": disk.id,
        "user_id": disk.user_id,
        "created_at": disk.created_at,
        "updated_at": disk.updated_at,
    }
    await tx.execute(insert(DiskRow).values(row))


async def find_disk(tx: Tx, project_id: ProjectId, disk_id: DiskId) -> Disk | None:
    """Read a disk."""
    query = select(DiskRow.__table__).where(
        DiskRow.project_id == project_id, DiskRow.disk_id == disk_id
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _disk(row)


async def has_disk(tx: Tx, project_id: ProjectId, disk_id: DiskId) -> bool:
    """Say whether the project has the disk."""
    disk = exists().where(DiskRow.project_id == project_id, DiskRow.disk_id == disk_id)
    return bool((await tx.execute(select(disk))).scalar_one())


async def list_disks(
    tx: Tx,
    project_id: ProjectId,
    *,
    user_id: UserId | None,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Disk]:
    """Read disks by creation time, one more than the limit if there are more."""
    query = select(DiskRow.__table__).where(DiskRow.project_id == project_id)
    if user_id is not None:
        query = query.where(DiskRow.user_id == user_id)
    page = by_time(
        query,
        DiskRow.created_at,
        DiskRow.disk_id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_disk(row) for row in await tx.execute(page)]


async def list_disks_of(tx: Tx, project_id: ProjectId, user_id: UserId) -> Sequence[DiskId]:
    """Name all disks of a user, and keep others from changing them."""
    query = (
        select(DiskRow.disk_id)
        .where(DiskRow.project_id == project_id, DiskRow.user_id == user_id)
        .order_by(DiskRow.disk_id)
        .with_for_update()
    )
    return [DiskId(row.disk_id) for row in await tx.execute(query)]


async def count_disks_of(tx: Tx, project_id: ProjectId, user_id: UserId) -> int:
    """Count a user's disks."""
    query = select(func.count()).where(DiskRow.project_id == project_id, DiskRow.user_id == user_id)
    return (await tx.execute(query)).scalar_one()


async def count_all(tx: Tx, project_id: ProjectId) -> DiskStatistics:
    """Count what a project keeps on disks."""
    of_disks = select(func.count()).where(DiskRow.project_id == project_id).scalar_subquery()
    query = select(of_disks, func.count(), func.coalesce(func.sum(ArtifactRow.size), 0)).where(
        ArtifactRow.project_id == project_id
    )
    disks, artifacts, size = (await tx.execute(query)).one()
    return DiskStatistics(disks=disks, artifacts=artifacts, bytes=int(size))


async def delete_disk(tx: Tx, project_id: ProjectId, disk_id: DiskId) -> bool:
    """Remove a disk with its artifacts; False if there was none."""
    gone = (
        delete(DiskRow)
        .where(DiskRow.project_id == project_id, DiskRow.disk_id == disk_id)
        .returning(DiskRow.disk_id)
    )
    return (await tx.execute(gone)).first() is not None


async def delete_project(tx: Tx, project_id: ProjectId) -> None:
    """Remove every row of a project."""
    for table in (ArtifactRow, ClaimRow, BlobRow, DiskRow):
        await tx.execute(delete(table).where(table.project_id == project_id))
    for shared in (request, outbox):
        await tx.execute(delete(shared).where(shared.c.project_id == project_id))


def _disk(row: Row[Any]) -> Disk:
    return Disk(
        id=DiskId(row.disk_id),
        project_id=ProjectId(row.project_id),
        user_id=None if row.user_id is None else UserId(row.user_id),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
