"""Deleting users and projects: gone here at once, elsewhere before the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from acontext_server.kit.blobs import Blobs
from acontext_server.kit.database import Database, Tx, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.transfer import insist_on_removing
from acontext_server.session.app.announcing import Announce
from acontext_server.session.app.watching import Watchers
from acontext_server.session.domain import (
    SERVICE,
    DeletionInProgress,
    ProjectDeleted,
    ProjectNotFound,
    SessionDeleted,
    User,
    UserDeleted,
    UserId,
    UserNotFound,
    UserResources,
)
from acontext_server.session.store import blobs, deletions, messages, projects, sessions, users

OTHERS = ("disk", "observer", "space")
"""Who keeps something of users and projects."""
POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletingApp:
    """What ends users and projects."""

    database: Database
    blobs: Blobs
    announce: Announce
    watchers: Watchers
    released: Callable[[], None]
    """Called when bytes may be needed no longer."""
    count_elsewhere: Callable[[ProjectId, UserId], Awaitable[tuple[int, int]]]
    """Asks others how many spaces and disks a user has."""
    wait_seconds: float
    """How long to wait for the others."""

    async def get_user_resources(self, project_id: ProjectId, identifier: str) -> UserResources:
        """Count what belongs to a user."""
        async with self.database.transaction() as tx:
            user = await users.find_user(tx, project_id, identifier)
            if user is None:
                raise UserNotFound
            count = await users.count_sessions(tx, project_id, user.id)
        spaces, disks = await self.count_elsewhere(project_id, user.id)
        return UserResources(sessions=count, spaces=spaces, disks=disks)

    async def delete_user(self, project_id: ProjectId, identifier: str) -> None:
        """Remove a user with its sessions, and wait until the others have removed the rest.

        Repeated while the others are still at it, it goes on waiting.
        """
        async with self.database.transaction() as tx:
            # Whoever opens a session for the user waits for this lock, and then makes a new user.
            user = await users.find_user(tx, project_id, identifier, lock=True)
            if user:
                await self._delete_user(tx, project_id, user)
            user_id = user.id if user else await deletions.find_user(tx, project_id, identifier)
            if user_id is None:
                raise UserNotFound
        self.released()
        await self._wait(project_id, user_id)

    async def _delete_user(self, tx: Tx, project_id: ProjectId, user: User) -> None:
        await self._delete_sessions(tx, project_id, user.id)
        await users.delete_user(tx, project_id, user.id)
        await deletions.expect(tx, project_id, user.id, OTHERS, identifier=user.identifier)
        await self.announce(tx, project_id, UserDeleted(user.id))

    async def _delete_sessions(self, tx: Tx, project_id: ProjectId, user_id: UserId) -> None:
        ids = await users.sessions_of(tx, project_id, user_id)
        # Writers hold the log when they look at the session, so logs are locked first here too.
        await messages.lock_logs(tx, [(project_id, session_id) for session_id in ids])
        for session_id in ids:
            await sessions.delete_session(tx, project_id, session_id)
            await blobs.release_session(tx, project_id, session_id)
            await self.announce(tx, project_id, SessionDeleted(session_id))

    async def delete_project(
        self, project_id: ProjectId, *, closed: Callable[[], None]
    ) -> tuple[str, ...]:
        """Close a project, and wait until nobody has anything of it; give who confirmed.

        `closed` is called as soon as its keys are gone.
        """
        async with self.database.transaction() as tx:
            if await projects.bury_project(tx, project_id):
                await projects.delete_keys(tx, project_id)
                await deletions.expect(tx, project_id, project_id, OTHERS)
                await self.announce(tx, project_id, ProjectDeleted())
            elif not await deletions.waiting_for(tx, project_id, project_id):
                raise ProjectNotFound(project_id)
        closed()
        await self._wait(project_id, project_id)
        return OTHERS

    async def note_receipt(self, project_id: ProjectId, subject_id: UUID, service: str) -> None:
        """Note that a service has forgotten a user or a project; the last one ends it."""
        async with self.database.transaction() as tx:
            if not await deletions.confirm(tx, project_id, subject_id, service):
                return
            ended = not await deletions.waiting_for(tx, project_id, subject_id)
            if ended and subject_id == project_id:
                await insist_on_removing(tx)
                await self.blobs.delete_all(project_id, SERVICE)
                await patient(tx)
                await projects.delete_project(tx, project_id)
        self.watchers.wake(subject_id)

    async def _wait(self, project_id: ProjectId, subject_id: UUID) -> None:
        news = self.watchers.join(subject_id)
        left: list[str] = []
        try:
            async with asyncio.timeout(self.wait_seconds):
                while left := await self._left(project_id, subject_id):
                    await self.watchers.news(news, POLL_SECONDS)
        except TimeoutError as error:
            raise DeletionInProgress(", ".join(left)) from error
        finally:
            self.watchers.leave(subject_id, news)

    async def _left(self, project_id: ProjectId, subject_id: UUID) -> list[str]:
        async with self.database.transaction() as tx:
            return await deletions.waiting_for(tx, project_id, subject_id)
