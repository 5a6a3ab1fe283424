"""Making, changing and deleting spaces, also when their user or project goes."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from acontext_server.kit import requests
from acontext_server.kit.database import Database, Tx
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.kit.rpc import Identities
from acontext_server.space.app import Announce, Listing, NewId, Now, RequestKey
from acontext_server.space.domain.blocks import check_storable
from acontext_server.space.domain.errors import SpaceNotFound
from acontext_server.space.domain.events import ProjectForgotten, SpaceDeleted, UserForgotten
from acontext_server.space.domain.spaces import Space
from acontext_server.space.store import blocks, learning, skills, spaces, tables
from acontext_server.space.vectors import Vectors

log = structlog.get_logger()

EVERY_SECONDS = 60.0
REMEMBERED = timedelta(hours=24)


class SpaceApp:
    """The verbs of spaces."""

    def __init__(
        self,
        database: Database,
        *,
        announce: Announce,
        identities: Identities,
        vectors: Vectors,
        cursors: Cursors,
        now: Now,
        new_id: NewId,
    ) -> None:
        self._database = database
        self._announce = announce
        self._identities = identities
        self._vectors = vectors
        self._cursors = cursors
        self._now = now
        self._new_id = new_id

    async def create_space(
        self,
        project_id: ProjectId,
        *,
        user: str | None,
        configs: Mapping[str, Any],
        request: RequestKey | None,
    ) -> Space:
        """Make an empty space, and its user on first sight."""
        check_storable("configs", configs)
        user_id = await self._identities.ensure_user(project_id, user) if user else None
        now = self._now()
        space = Space(self._new_id(), project_id, user_id, configs, now, now)
        async with self._database.transaction() as tx:
            first = await self._claimed(tx, project_id, request, space.id)
            if first is None:
                await spaces.insert_space(tx, space)
            return await _found(tx, project_id, first or space.id)

    async def _claimed(
        self, tx: Tx, project_id: ProjectId, request: RequestKey | None, answer_id: UUID
    ) -> UUID | None:
        if request is None:
            return None
        return await requests.claim(
            tx,
            tables.request,
            project_id=project_id,
            method=request.method,
            request_id=request.request_id,
            digest=request.digest,
            answer_id=answer_id,
        )

    async def get_space(self, project_id: ProjectId, space_id: UUID) -> Space:
        """Read a space, or raise SpaceNotFound."""
        async with self._database.transaction() as tx:
            return await _found(tx, project_id, space_id)

    async def list_spaces(
        self, project_id: ProjectId, user: str | None, listing: Listing
    ) -> Page[Space]:
        """Read a page of spaces; an unknown user has none."""
        scope = f"spaces:{user or ''}:{listing.descending}"
        after = self._cursors.decode_time(scope, listing.cursor)
        user_id = await self._identities.find_user(project_id, user) if user else None
        if user and user_id is None:
            return Page([], None)
        async with self._database.transaction() as tx:
            rows = await spaces.list_spaces(
                tx,
                project_id,
                user_id=user_id,
                after=after,
                descending=listing.descending,
                limit=listing.limit,
            )
        return self._cursors.page(scope, rows, listing.limit, lambda one: (one.created_at, one.id))

    async def update_configs(
        self, project_id: ProjectId, space_id: UUID, configs: Mapping[str, Any]
    ) -> None:
        """Replace a space's configs."""
        check_storable("configs", configs)
        async with self._database.transaction() as tx:
            if not await spaces.update_configs(tx, project_id, space_id, configs, self._now()):
                raise SpaceNotFound(space_id)

    async def delete_space(self, project_id: ProjectId, space_id: UUID) -> None:
        """Remove a space with all it holds, and tell those who know it."""
        async with self._database.transaction() as tx:
            if not await spaces.lock_tree(tx, project_id, space_id):
                raise SpaceNotFound(space_id)
            await self._remove(tx, project_id, space_id)

    async def count_spaces(self, project_id: ProjectId, user_id: UUID) -> int:
        """Count a user's spaces."""
        async with self._database.transaction() as tx:
            return await spaces.count_spaces(tx, project_id, user_id)

    async def forget_user(self, project_id: ProjectId, user_id: UUID) -> None:
        """Remove the spaces of a user who is gone."""
        async with self._database.transaction() as tx:
            for space_id in await spaces.spaces_of(tx, project_id, user_id):
                await self._remove(tx, project_id, space_id)
            await self._announce(tx, project_id, [UserForgotten(user_id)])

    async def forget_session(self, project_id: ProjectId, session_id: UUID) -> None:
        """Remove what points into a session that is gone; skills stay."""
        async with self._database.transaction() as tx:
            await skills.forget_session(tx, project_id, session_id)
            await learning.forget_session(tx, project_id, session_id)

    async def forget_project(self, project_id: ProjectId) -> None:
        """Remove everything of a project that is gone."""
        async with self._database.transaction() as tx:
            for space_id in await spaces.spaces_of(tx, project_id):
                await spaces.delete_space(tx, project_id, space_id)
            await tables.forget_project(tx, project_id)
            await self._announce(tx, project_id, [ProjectForgotten()])
        await self._vectors.delete_project(project_id)

    async def forget_requests(self) -> None:
        """Forget old request ids, every minute, for as long as the caller lives."""
        while True:
            try:
                async with self._database.transaction() as tx:
                    before = self._now() - REMEMBERED
                    await requests.forget(tx, tables.request, before=before)
            except ServiceError as error:
                log.warning("cleaning_waits", error=repr(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def _remove(self, tx: Tx, project_id: ProjectId, space_id: UUID) -> None:
        gone = [block.id for block in await blocks.content_of(tx, project_id, space_id)]
        await blocks.intend(tx, project_id, space_id, gone, self._now())
        await spaces.delete_space(tx, project_id, space_id)
        await self._announce(tx, project_id, [SpaceDeleted(space_id)])


async def _found(tx: Tx, project_id: ProjectId, space_id: UUID) -> Space:
    space = await spaces.find_space(tx, project_id, space_id)
    if space is None:
        raise SpaceNotFound(space_id)
    return space
