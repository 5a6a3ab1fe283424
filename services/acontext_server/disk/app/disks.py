"""What can be done with disks."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from acontext_server.disk.app.sweep import SERVICE, Sweep
from acontext_server.disk.domain import (
    Disk,
    DiskDeleted,
    DiskId,
    DiskNotFound,
    DiskStatistics,
    Event,
    ProjectForgotten,
    UserForgotten,
    UserId,
)
from acontext_server.disk.store import artifacts, disks
from acontext_server.disk.store.tables import request
from acontext_server.kit import requests
from acontext_server.kit.blobs import Blobs
from acontext_server.kit.database import Database, Tx, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.kit.rpc import Identities
from acontext_server.kit.transfer import insist_on_removing

SWEPT_AT_ONCE = 2000
"""Files of a deleted disk whose bytes are removed before the answer; others follow."""


class Announce(Protocol):
    """Announces facts with the transaction that makes them."""

    async def __call__(self, tx: Tx, project_id: ProjectId, *events: Event) -> None:
        """Write them down."""
        ...


class DiskApp:
    """The verbs of disks."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        sweep: Sweep,
        *,
        identities: Identities,
        cursors: Cursors,
        announce: Announce,
        now: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._sweep = sweep
        self._identities = identities
        self._cursors = cursors
        self._announce = announce
        self._now = now
        self._new_id = new_id

    async def create_disk(
        self, project_id: ProjectId, *, user: str | None, request_id: UUID | None
    ) -> Disk:
        """Make an empty disk; a repeated request_id gives the first one."""
        user_id = UserId(await self._identities.ensure_user(project_id, user)) if user else None
        now = self._now()
        disk = Disk(
            id=DiskId(self._new_id()),
            project_id=project_id,
            user_id=user_id,
            created_at=now,
            updated_at=now,
        )
        async with self._database.transaction() as tx:
            first = await self._first_answer(tx, disk, user, request_id)
            if first is not None:
                return first
            await disks.insert_disk(tx, disk)
        return disk

    async def list_disks(
        self,
        project_id: ProjectId,
        *,
        user: str | None,
        limit: int,
        cursor: str | None,
        descending: bool,
    ) -> Page[Disk]:
        """Give a page of disks by creation time, perhaps of one user."""
        known = await self._identities.find_user(project_id, user) if user else None
        if user and known is None:
            return Page([], None)
        user_id = UserId(known) if known else None
        scope = f"disks {project_id} {user_id} {descending}"
        async with self._database.transaction() as tx:
            found = await disks.list_disks(
                tx,
                project_id,
                user_id=user_id,
                after=self._cursors.decode_time(scope, cursor),
                descending=descending,
                limit=limit,
            )
        return self._cursors.page(scope, found, limit, lambda disk: (disk.created_at, disk.id))

    async def delete_disk(self, project_id: ProjectId, disk_id: DiskId) -> None:
        """Remove a disk with its artifacts, and tell those who know it."""
        async with self._database.transaction() as tx:
            hashes = await self._delete(tx, project_id, disk_id)
        await self._sweep.soon(project_id, hashes)

    async def count_disks(self, project_id: ProjectId, user_id: UserId) -> int:
        """Count a user's disks."""
        async with self._database.transaction() as tx:
            return await disks.count_disks_of(tx, project_id, user_id)

    async def get_statistics(self, project_id: ProjectId) -> DiskStatistics:
        """Count what a project keeps on disks."""
        async with self._database.transaction() as tx:
            return await disks.count_all(tx, project_id)

    async def forget_user(self, project_id: ProjectId, user_id: UserId) -> None:
        """Remove all disks of a user who is gone, and confirm it."""
        hashes: list[str] = []
        async with self._database.transaction() as tx:
            for disk_id in await disks.list_disks_of(tx, project_id, user_id):
                hashes += await self._delete(tx, project_id, disk_id)
            await self._announce(tx, project_id, UserForgotten(user_id=user_id))
        await self._sweep.soon(project_id, hashes)

    async def forget_project(self, project_id: ProjectId) -> None:
        """Remove everything of a project that is gone; confirm it afterwards."""
        async with self._database.transaction() as tx:
            await patient(tx)
            await disks.delete_project(tx, project_id)
        async with self._database.transaction() as tx:
            await insist_on_removing(tx)
            await self._blobs.delete_all(project_id, SERVICE)

    async def confirm_project(self, project_id: ProjectId) -> None:
        """Announce that nothing of the project is left here."""
        async with self._database.transaction() as tx:
            await self._announce(tx, project_id, ProjectForgotten())

    async def _first_answer(
        self, tx: Tx, disk: Disk, user: str | None, request_id: UUID | None
    ) -> Disk | None:
        if request_id is None:
            return None
        first = await requests.claim(
            tx,
            request,
            project_id=disk.project_id,
            method="CreateDisk",
            request_id=request_id,
            digest=requests.digest_of((user or "").encode()),
            answer_id=disk.id,
        )
        if first is None:
            return None
        found = await disks.find_disk(tx, disk.project_id, DiskId(first))
        if found is None:
            raise DiskNotFound(DiskId(first))
        return found

    async def _delete(self, tx: Tx, project_id: ProjectId, disk_id: DiskId) -> list[str]:
        hashes = await artifacts.list_hashes(tx, project_id, disk_id, SWEPT_AT_ONCE)
        if not await disks.delete_disk(tx, project_id, disk_id):
            raise DiskNotFound(disk_id)
        await self._announce(tx, project_id, DiskDeleted(disk_id=disk_id))
        return hashes
