"""What is tidied beside the calls: bytes that nobody needs, and old request ids."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from acontext_server.kit.blobs import BlobKey, Blobs
from acontext_server.kit.database import Database
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.requests import forget
from acontext_server.kit.transfer import may_remove
from acontext_server.session.domain import SERVICE
from acontext_server.session.store import blobs as store
from acontext_server.session.store.tables import request

log = structlog.get_logger()

EVERY_SECONDS = 60.0
AT_ONCE = 100
REMEMBERED = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class Cleaner:
    """Removes what is left over."""

    database: Database
    blobs: Blobs
    now: Callable[[], datetime]
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def soon(self) -> None:
        """Say that something may be left over."""
        self._news.set()

    async def run(self) -> None:
        """Clean when told, and every minute, for as long as the caller lives."""
        while True:
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()
            try:
                await self.clean()
            except ServiceError as error:
                log.warning("cleaning_waits", error=repr(error))

    async def clean(self) -> None:
        """Remove all that is left over now."""
        async with self.database.transaction() as tx:
            await forget(tx, request, before=self.now() - REMEMBERED)
        while True:
            async with self.database.transaction() as tx:
                expired = await store.list_expired(tx, AT_ONCE) if await may_remove(tx) else []
            for project_id, sha256 in expired:
                await self._remove(project_id, sha256)
            if len(expired) < AT_ONCE:
                return

    async def _remove(self, project_id: ProjectId, sha256: str) -> None:
        async with self.database.transaction() as tx:
            if await may_remove(tx) and await store.lock_unneeded(tx, project_id, sha256):
                key = BlobKey(project_id=project_id, service=SERVICE, sha256=sha256)
                await self.blobs.delete(key)
                await store.forget(tx, project_id, sha256)
