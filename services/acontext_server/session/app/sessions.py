"""Sessions without their messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from acontext_server.kit.database import Database, Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.kit.requests import claim, digest_of
from acontext_server.session.app.announcing import Announce
from acontext_server.session.app.projects import ensure_user
from acontext_server.session.domain import (
    Session,
    SessionConnected,
    SessionDeleted,
    SessionId,
    SessionNotFound,
    SessionState,
    SessionStatistics,
    SpaceId,
    SpaceNotFound,
    UserId,
)
from acontext_server.session.free_json import Json, JsonObject, dump
from acontext_server.session.store import blobs, messages, users
from acontext_server.session.store import sessions as store
from acontext_server.session.store.sessions import SessionFilter
from acontext_server.session.store.tables import request


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a caller wants to open."""

    user: str | None
    space_id: SpaceId | None
    disable_task_tracking: bool
    configs: JsonObject

    def digest(self) -> bytes:
        """Tell it from others under the same request id."""
        plain: list[Json] = [
            self.user,
            str(self.space_id),
            self.disable_task_tracking,
            self.configs,
        ]
        return digest_of(dump(plain).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionApp:
    """What can be done with sessions."""

    database: Database
    cursors: Cursors
    announce: Announce
    space_exists: Callable[[ProjectId, SpaceId], Awaitable[bool]]
    """Asks the service that owns spaces."""
    released: Callable[[], None]
    """Called when bytes may be needed no longer."""
    new_id: Callable[[], UUID]

    async def create_session(
        self, project_id: ProjectId, new: NewSession, request_id: UUID | None
    ) -> Session:
        """Open an empty session; a repeated request gets the first one."""
        await self._check_space(project_id, new.space_id)
        session_id = SessionId(self.new_id())
        async with self.database.transaction() as tx:
            first = await self._claim(tx, project_id, new, request_id, session_id)
            if first:
                return await _found(tx, project_id, first)
            user = await self._user_of(tx, project_id, new)
            session = await store.insert_session(
                tx,
                project_id,
                session_id,
                user_id=user,
                space_id=new.space_id,
                disable_task_tracking=new.disable_task_tracking,
                configs=new.configs,
            )
            if new.space_id:
                await self.announce(tx, project_id, SessionConnected(session_id, new.space_id))
        return session

    async def get_session(self, project_id: ProjectId, session_id: SessionId) -> Session:
        """Find a session."""
        async with self.database.transaction() as tx:
            return await _found(tx, project_id, session_id)

    async def list_sessions(
        self,
        project_id: ProjectId,
        which: SessionFilter,
        *,
        user: str | None,
        limit: int,
        cursor: str | None,
        time_desc: bool,
    ) -> Page[Session]:
        """Page through a project's sessions; an unknown user has none."""
        scope = f"sessions:{project_id}:{time_desc}:{user}:{which}"
        after = self.cursors.decode_time(scope, cursor)
        await self._check_space(project_id, which.space_id)
        async with self.database.transaction() as tx:
            if user:
                owner = None if "\0" in user else await users.find_user(tx, project_id, user)
                if owner is None:
                    return Page([], None)
                which = replace(which, user_id=owner.id)
            rows = await store.list_sessions(
                tx, project_id, which, after=after, descending=time_desc, limit=limit
            )
        return self.cursors.page(scope, rows, limit, lambda row: (row.created_at, row.id))

    async def list_states(
        self, project_id: ProjectId, session_ids: Sequence[SessionId]
    ) -> Sequence[SessionState]:
        """Say of some sessions how long they are and how far they are observed."""
        async with self.database.transaction() as tx:
            return await store.list_states(tx, project_id, session_ids)

    async def get_statistics(self, project_id: ProjectId) -> SessionStatistics:
        """Count what a project keeps in sessions."""
        async with self.database.transaction() as tx:
            return await store.count_all(tx, project_id)

    async def update_configs(
        self, project_id: ProjectId, session_id: SessionId, configs: JsonObject
    ) -> None:
        """Replace a session's configs."""
        async with self.database.transaction() as tx:
            if not await store.update_configs(tx, project_id, session_id, configs):
                raise SessionNotFound(session_id)

    async def connect_to_space(
        self, project_id: ProjectId, session_id: SessionId, space_id: SpaceId
    ) -> None:
        """Name the space that learns from a session, and tell those who learn."""
        await self.get_session(project_id, session_id)
        await self._check_space(project_id, space_id)
        async with self.database.transaction() as tx:
            if not await store.connect(tx, project_id, session_id, space_id):
                raise SessionNotFound(session_id)
            await self.announce(tx, project_id, SessionConnected(session_id, space_id))

    async def disconnect_space(self, project_id: ProjectId, space_id: SpaceId) -> None:
        """Take a space that is gone away from its sessions."""
        async with self.database.transaction() as tx:
            await store.disconnect_space(tx, project_id, space_id)

    async def delete_session(self, project_id: ProjectId, session_id: SessionId) -> None:
        """Remove a session with its messages, and tell those who know it."""
        async with self.database.transaction() as tx:
            # Writers hold the log when they look at the session, so it is locked first here too.
            await messages.lock_logs(tx, [(project_id, session_id)])
            if not await store.delete_session(tx, project_id, session_id):
                raise SessionNotFound(session_id)
            await blobs.release_session(tx, project_id, session_id)
            await self.announce(tx, project_id, SessionDeleted(session_id))
        self.released()

    async def _check_space(self, project_id: ProjectId, space_id: SpaceId | None) -> None:
        if space_id and not await self.space_exists(project_id, space_id):
            raise SpaceNotFound(space_id)

    async def _claim(
        self,
        tx: Tx,
        project_id: ProjectId,
        new: NewSession,
        request_id: UUID | None,
        session_id: SessionId,
    ) -> SessionId | None:
        if request_id is None:
            return None
        first = await claim(
            tx,
            request,
            project_id=project_id,
            method="CreateSession",
            request_id=request_id,
            digest=new.digest(),
            answer_id=session_id,
        )
        return SessionId(first) if first else None

    async def _user_of(self, tx: Tx, project_id: ProjectId, new: NewSession) -> UserId | None:
        if not new.user:
            return None
        return (await ensure_user(tx, project_id, new.user, self.new_id)).id


async def _found(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Session:
    session = await store.find_session(tx, project_id, session_id)
    if session is None:
        raise SessionNotFound(session_id)
    return session
