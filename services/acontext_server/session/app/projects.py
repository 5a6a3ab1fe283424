"""Projects, their keys and settings, and their users."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from acontext_server.kit.auth import KEY_PREFIX
from acontext_server.kit.database import Database, Tx
from acontext_server.kit.errors import InvalidRequest
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import Cursors, Page
from acontext_server.kit.requests import claim, digest_of
from acontext_server.session.domain import (
    ApiKey,
    ApiKeyNotFound,
    KeyId,
    Project,
    ProjectNotFound,
    User,
    UserId,
)
from acontext_server.session.store import projects as store
from acontext_server.session.store import users
from acontext_server.session.store.tables import request

MAX_USERS = 1_000_000
"""What "all" means in a list of users."""

_SHOWN = len(KEY_PREFIX) + 6


@dataclass(frozen=True, slots=True)
class ProjectApp:
    """What can be done with projects, keys and users."""

    database: Database
    cursors: Cursors
    pepper: bytes
    """Secrets are hashed with it, so that a stolen table opens nothing."""
    new_id: Callable[[], UUID]

    async def first_start(self, root_key: str) -> None:
        """Make the default project with the key of the settings, unless there is a project."""
        async with self.database.transaction() as tx:
            await store.lock_first_start(tx)
            if await store.any_project(tx):
                return
            project = await store.insert_project(tx, ProjectId(self.new_id()), "default")
            await self._insert_key(tx, project.id, root_key)

    async def find_key(self, secret: str) -> tuple[ApiKey, bytes] | None:
        """Find the key of a secret, with the settings of its project."""
        async with self.database.transaction() as tx:
            return await store.find_key(tx, self._hash(secret))

    async def project_of(self, secret: str) -> ProjectId | None:
        """Say whose key a secret is."""
        found = await self.find_key(secret)
        return found[0].project_id if found else None

    async def create_project(
        self, name: str, request_id: UUID | None
    ) -> tuple[Project, str | None]:
        """Make an empty project and its first key; a repeated request has no secret."""
        project_id = ProjectId(self.new_id())
        async with self.database.transaction() as tx:
            if request_id and (first := await self._claim(tx, name, request_id, project_id)):
                return await self._found(tx, first), None
            project = await store.insert_project(tx, project_id, name)
            secret = _new_secret()
            await self._insert_key(tx, project.id, secret)
            return project, secret

    async def _claim(
        self, tx: Tx, name: str, request_id: UUID, project_id: ProjectId
    ) -> ProjectId | None:
        first = await claim(
            tx,
            request,
            project_id=ProjectId(UUID(int=0)),  # the operator's requests belong to no project
            method="CreateProject",
            request_id=request_id,
            digest=digest_of(name.encode()),
            answer_id=project_id,
        )
        return ProjectId(first) if first else None

    async def get_project(self, project_id: ProjectId) -> Project:
        """Find a project."""
        async with self.database.transaction() as tx:
            return await self._found(tx, project_id)

    async def list_projects(
        self, *, limit: int, cursor: str | None, time_desc: bool
    ) -> Page[Project]:
        """Page through all projects."""
        scope = f"projects:{time_desc}"
        after = self.cursors.decode_time(scope, cursor)
        async with self.database.transaction() as tx:
            rows = await store.list_projects(tx, after=after, descending=time_desc, limit=limit)
        return self.cursors.page(scope, rows, limit, lambda row: (row.created_at, row.id))

    async def rename_project(self, project_id: ProjectId, name: str) -> Project:
        """Give a project another name."""
        async with self.database.transaction() as tx:
            await store.rename_project(tx, project_id, name)
            return await self._found(tx, project_id)

    async def get_settings(self, project_id: ProjectId) -> bytes:
        """Read the settings of a project, serialised."""
        async with self.database.transaction() as tx:
            settings = await store.settings_of(tx, project_id)
        if settings is None:
            raise ProjectNotFound(project_id)
        return settings

    async def change_settings(
        self, project_id: ProjectId, change: Callable[[bytes], bytes]
    ) -> bytes:
        """Replace the settings of a project by what a function makes of them."""
        async with self.database.transaction() as tx:
            before = await store.settings_of(tx, project_id, lock=True)
            if before is None:
                raise ProjectNotFound(project_id)
            after = change(before)
            if after != before:
                await store.write_settings(tx, project_id, after)
            return after

    async def create_key(self, project_id: ProjectId) -> tuple[ApiKey, str]:
        """Make one more key."""
        secret = _new_secret()
        async with self.database.transaction() as tx:
            await self._found(tx, project_id)
            return await self._insert_key(tx, project_id, secret), secret

    async def list_keys(self, project_id: ProjectId) -> Sequence[ApiKey]:
        """Give the keys that work."""
        async with self.database.transaction() as tx:
            await self._found(tx, project_id)
            return await store.list_keys(tx, project_id)

    async def rotate_key(
        self, project_id: ProjectId, key_id: KeyId, overlap: timedelta
    ) -> tuple[ApiKey, str]:
        """Make a key in place of an old one, which works on for the overlap."""
        secret = _new_secret()
        async with self.database.transaction() as tx:
            await self._found(tx, project_id)
            if not await store.end_key(tx, project_id, key_id, overlap=overlap):
                raise ApiKeyNotFound(key_id)
            return await self._insert_key(tx, project_id, secret), secret

    async def revoke_key(self, project_id: ProjectId, key_id: KeyId) -> None:
        """End a key at once."""
        async with self.database.transaction() as tx:
            await self._found(tx, project_id)
            if not await store.delete_key(tx, project_id, key_id):
                raise ApiKeyNotFound(key_id)

    async def ensure_user(self, project_id: ProjectId, identifier: str) -> User:
        """Find the user of an identifier, or make it."""
        async with self.database.transaction() as tx:
            return await ensure_user(tx, project_id, identifier, self.new_id)

    async def find_user(self, project_id: ProjectId, identifier: str) -> User | None:
        """Find the user of an identifier."""
        if "\0" in identifier:
            return None
        async with self.database.transaction() as tx:
            return await users.find_user(tx, project_id, identifier)

    async def list_users(
        self, project_id: ProjectId, *, limit: int, cursor: str | None, time_desc: bool
    ) -> Page[User]:
        """Page through a project's users; a limit of 0 means all."""
        scope = f"users:{project_id}:{time_desc}"
        after = self.cursors.decode_time(scope, cursor)
        limit = limit or MAX_USERS
        async with self.database.transaction() as tx:
            rows = await users.list_users(
                tx, project_id, after=after, descending=time_desc, limit=limit
            )
        return self.cursors.page(scope, rows, limit, lambda row: (row.created_at, row.id))

    async def _found(self, tx: Tx, project_id: ProjectId) -> Project:
        project = await store.find_project(tx, project_id)
        if project is None:
            raise ProjectNotFound(project_id)
        return project

    async def _insert_key(self, tx: Tx, project_id: ProjectId, secret: str) -> ApiKey:
        key_id = KeyId(self.new_id())
        hashed = self._hash(secret)
        return await store.insert_key(
            tx, project_id, key_id, key_hash=hashed, prefix=secret[:_SHOWN]
        )

    def _hash(self, secret: str) -> bytes:
        return hmac.digest(self.pepper, secret.encode(), hashlib.sha256)


async def ensure_user(
    tx: Tx, project_id: ProjectId, identifier: str, new_id: Callable[[], UUID]
) -> User:
    """Find the user of an identifier, or make it, within a transaction."""
    if "\0" in identifier:
        raise InvalidRequest.of("user", "must not have a NUL")
    return await users.ensure_user(tx, project_id, identifier, UserId(new_id()))


def _new_secret() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)
