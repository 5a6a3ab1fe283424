"""Users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.session.domain import SessionId, User, UserId
from acontext_server.session.store.tables import SessionRow, UserRow

_USER = (
    UserRow.user_id,
    UserRow.project_id,
    UserRow.identifier,
    UserRow.created_at,
    UserRow.updated_at,
)


async def ensure_user(tx: Tx, project_id: ProjectId, identifier: str, new_id: UserId) -> User:
    """Find the user of an identifier, or make it; of several at once one makes it."""
    row = {"project_id": project_id, "user_id": new_id, "identifier": identifier}
    # Updating what is there to itself locks it against a deletion until the caller has committed.
    made = (
        insert(UserRow)
        .values(row)
        .on_conflict_do_update(constraint="user_identifier", set_={"identifier": identifier})
    )
    return _user((await tx.execute(made.returning(*_USER))).one())


async def find_user(
    tx: Tx, project_id: ProjectId, identifier: str, *, lock: bool = False
) -> User | None:
    """Find the user of an identifier."""
    query = select(*_USER).where(UserRow.project_id == project_id, UserRow.identifier == identifier)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    return _user(row) if row else None


async def list_users(
    tx: Tx,
    project_id: ProjectId,
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[User]:
    """Page through a project's users."""
    query = by_time(
        select(*_USER).where(UserRow.project_id == project_id),
        UserRow.created_at,
        UserRow.user_id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_user(row) for row in await tx.execute(query)]


async def count_sessions(tx: Tx, project_id: ProjectId, user_id: UserId) -> int:
    """Count a user's sessions."""
    query = select(func.count()).where(
        SessionRow.project_id == project_id, SessionRow.user_id == user_id
    )
    return (await tx.execute(query)).scalar_one()


async def sessions_of(tx: Tx, project_id: ProjectId, user_id: UserId) -> Sequence[SessionId]:
    """Name a user's sessions."""
    query = select(SessionRow.session_id).where(
        SessionRow.project_id == project_id, SessionRow.user_id == user_id
    )
    return [SessionId(id_) for id_ in (await tx.execute(query)).scalars()]


async def delete_user(tx: Tx, project_id: ProjectId, user_id: UserId) -> None:
    """Remove a user that has no sessions any more."""
    await tx.execute(
        delete(UserRow).where(UserRow.project_id == project_id, UserRow.user_id == user_id)
    )


def _user(row: Row[*tuple[Any, ...]]) -> User:
    return User(
        id=UserId(row.user_id),
        project_id=ProjectId(row.project_id),
        identifier=row.identifier,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
