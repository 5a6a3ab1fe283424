"""Removing bytes that nothing needs: decision 0010."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from acontext_server.disk.store import blobs as store
from acontext_server.disk.store.tables import request
from acontext_server.kit import requests
from acontext_server.kit.blobs import BlobKey, Blobs
from acontext_server.kit.database import Database
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.transfer import may_remove

log = structlog.get_logger()

SERVICE = "disk"
BATCH = 200
EVERY_SECONDS = 600.0
REQUESTS_LIVE = timedelta(hours=24)


class Sweep:
    """Removes bytes without an artifact or a claim."""

    def __init__(self, database: Database, blobs: Blobs, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._blobs = blobs
        self._now = now

    async def run(self) -> None:
        """Finish, now and then, what deletions left behind, for as long as the caller lives."""
        while True:
            try:
                await self.all()
            except ServiceError as error:
                log.warning("sweep_waits", error=repr(error))
            await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))

    async def all(self) -> None:
        """Remove everything that is not needed, of all projects."""
        async with self._database.transaction() as tx:
            await store.end_expired_claims(tx, before=self._now())
            await requests.forget(tx, request, before=self._now() - REQUESTS_LIVE)
        removed = BATCH
        while removed:
            async with self._database.transaction() as tx:
                unneeded = await store.list_unneeded(tx, BATCH)
            of_project: dict[ProjectId, list[str]] = defaultdict(list)
            for project_id, sha256 in unneeded:
                of_project[project_id].append(sha256)
            removed = sum([await self._remove(*bytes_of) for bytes_of in of_project.items()])

    async def soon(self, project_id: ProjectId, hashes: Iterable[str]) -> None:
        """Remove what a committed deletion has released; what fails is left to `run`."""
        try:
            await self._remove(project_id, list(hashes))
        except ServiceError as error:
            log.warning("sweep_waits", error=repr(error))

    async def _remove(self, project_id: ProjectId, hashes: list[str]) -> int:
        removed = 0
        for start in range(0, len(hashes), BATCH):
            async with self._database.transaction() as tx:
                if not await may_remove(tx):
                    return removed
                batch = hashes[start : start + BATCH]
                unneeded = await store.lock_unneeded(tx, project_id, batch)
                for sha256 in unneeded:
                    await self._blobs.delete(key_of(project_id, sha256))
                await store.forget(tx, project_id, unneeded)
            removed += len(unneeded)
        return removed


def key_of(project_id: ProjectId, sha256: str) -> BlobKey:
    """Say where disk keeps some bytes."""
    return BlobKey(project_id=project_id, service=SERVICE, sha256=sha256)
