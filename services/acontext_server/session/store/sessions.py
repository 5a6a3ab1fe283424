"""Sessions without their logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    any_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from acontext_server.kit.database import Raw, Tx
from acontext_server.kit.ids import ProjectId, first_id_of, ids_beginning_with
from acontext_server.kit.paging import by_time
from acontext_server.session.domain import (
    Observing,
    Place,
    Session,
    SessionId,
    SessionState,
    SessionStatistics,
    SpaceId,
    UserId,
)
from acontext_server.session.free_json import JsonObject
from acontext_server.session.store.tables import (
    LogRow,
    MessageRow,
    ObservationRow,
    SessionRow,
    UserRow,
)

_SESSION = (
    SessionRow.session_id,
    SessionRow.project_id,
    SessionRow.user_id,
    SessionRow.space_id,
    SessionRow.disable_task_tracking,
    SessionRow.configs,
    SessionRow.created_at,
    SessionRow.updated_at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Which sessions a list shows; None means any."""

    user_id: UserId | None = None
    space_id: SpaceId | None = None
    not_connected: bool = False
    configs: JsonObject | None = None
    observing: Observing | None = None
    stored_after: datetime | None = None
    stored_before: datetime | None = None
    """When messages were stored: from the one on, and before the other."""
    search: str = ""
    """What the id, or the user's identifier, begins with."""


async def insert_session(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    user_id: UserId | None,
    space_id: SpaceId | None,
    disable_task_tracking: bool,
    configs: JsonObject,
) -> Session:
    """Add a session with an empty log."""
    row = {
        "project_id": project_id,
        "session_id": session_id,
        "user_id": user_id,
        "space_id": space_id,
        "disable_task_tracking": disable_task_tracking,
        "configs": configs,
    }
    inserted = (await tx.execute(insert(SessionRow).values(row).returning(*_SESSION))).one()
    log = {
        "project_id": project_id,
        "session_id": session_id,
        "tracked": not disable_task_tracking,
    }
    await tx.execute(insert(LogRow).values(log))
    return _session(inserted)


async def find_session(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Session | None:
    """Find a session."""
    row = (await tx.execute(select(*_SESSION).where(_is(project_id, session_id)))).one_or_none()
    return _session(row) if row else None


_PLACE = """
SELECT space_id, user_id, NOT disable_task_tracking FROM session.session
WHERE project_id = %s AND session_id = %s
"""


async def find_place(tx: Raw, project_id: ProjectId, session_id: SessionId) -> Place | None:
    """Say where a session belongs, which every batch that is observed asks."""
    found = await (await tx.execute(_PLACE, (project_id, session_id))).fetchone()
    return Place(*found) if found else None


async def list_sessions(
    tx: Tx,
    project_id: ProjectId,
    which: SessionFilter,
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Session]:
    """Page through a project's sessions."""
    query = by_time(
        select(*_SESSION).where(
            SessionRow.project_id == project_id, *_conditions(project_id, which)
        ),
        SessionRow.created_at,
        SessionRow.session_id,
        after=after,
        descending=descending,
        limit=limit,
    )
    return [_session(row) for row in await tx.execute(query)]


def _conditions(project_id: ProjectId, which: SessionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if which.user_id is not None:
        conditions.append(SessionRow.user_id == which.user_id)
    if which.not_connected:
        conditions.append(SessionRow.space_id.is_(None))
    elif which.space_id is not None:
        conditions.append(SessionRow.space_id == which.space_id)
    if which.configs is not None:
        conditions.append(SessionRow.configs.contains(which.configs))
    if which.observing is not None:
        conditions.append(_is_observed(which.observing))
    if which.stored_after is not None or which.stored_before is not None:
        conditions.append(_has_stored(project_id, which.stored_after, which.stored_before))
    if which.search:
        conditions.append(_begins_with(project_id, which.search))
    return conditions


def _has_stored(
    project_id: ProjectId, after: datetime | None, before: datetime | None
) -> ColumnElement[bool]:
    stored = select(MessageRow.session_id).where(MessageRow.project_id == project_id)
    # A message's id begins with its time, and there is an index on it.
    if after is not None:
        stored = stored.where(MessageRow.message_id >= first_id_of(after))
    if before is not None:
        stored = stored.where(MessageRow.message_id < first_id_of(before))
    return SessionRow.session_id.in_(stored)


def _begins_with(project_id: ProjectId, text: str) -> ColumnElement[bool]:
    users = select(UserRow.user_id).where(
        UserRow.project_id == project_id, UserRow.identifier.startswith(text, autoescape=True)
    )
    # As an array it is looked up once, and the index of sessions by user serves it.
    is_of_user = SessionRow.user_id == any_(func.array(users.scalar_subquery()))
    span = ids_beginning_with(text)
    if span is None:
        return is_of_user
    return or_(SessionRow.session_id.between(*span), is_of_user)


def _is_observed(so_far: Observing) -> ColumnElement[bool]:
    if so_far is Observing.FAILED:
        return exists().where(
            ObservationRow.project_id == SessionRow.project_id,
            ObservationRow.session_id == SessionRow.session_id,
            ObservationRow.failure.is_not(None),
        )
    all_of_it = LogRow.observed_through >= LogRow.last_sequence
    return exists().where(
        LogRow.project_id == SessionRow.project_id,
        LogRow.session_id == SessionRow.session_id,
        LogRow.tracked,
        all_of_it if so_far is Observing.OBSERVED else ~all_of_it,
    )


async def list_states(
    tx: Tx, project_id: ProjectId, session_ids: Sequence[SessionId]
) -> Sequence[SessionState]:
    """Say of some sessions how long they are and how far they are observed."""
    failed = (
        select(func.count())
        .where(
            ObservationRow.project_id == LogRow.project_id,
            ObservationRow.session_id == LogRow.session_id,
            ObservationRow.failure.is_not(None),
        )
        .correlate(LogRow)
        .scalar_subquery()
    )
    query = select(
        LogRow.session_id,
        LogRow.last_sequence,
        LogRow.observed_through,
        LogRow.tokens,
        LogRow.last_stored_at,
        failed.label("failed"),
    ).where(LogRow.project_id == project_id, LogRow.session_id.in_(session_ids))
    return [
        SessionState(
            session_id=SessionId(row.session_id),
            messages=row.last_sequence,
            observed=row.observed_through,
            failed=row.failed,
            tokens=row.tokens,
            last_stored_at=row.last_stored_at,
        )
        for row in await tx.execute(query)
    ]


async def count_all(tx: Tx, project_id: ProjectId) -> SessionStatistics:
    """Count what a project keeps in sessions."""
    users = select(func.count()).where(UserRow.project_id == project_id).scalar_subquery()
    size = (
        select(func.coalesce(func.sum(MessageRow.size), 0))
        .where(MessageRow.project_id == project_id)
        .scalar_subquery()
    )
    query = select(
        users,
        func.count(),
        func.coalesce(func.sum(LogRow.last_sequence), 0),
        func.coalesce(func.sum(LogRow.tokens), 0),
        size,
    ).where(LogRow.project_id == project_id)
    of_users, sessions, messages, tokens, message_bytes = (await tx.execute(query)).one()
    return SessionStatistics(
        users=of_users,
        sessions=sessions,
        messages=messages,
        tokens=int(tokens),
        message_bytes=int(message_bytes),
    )


async def update_configs(
    tx: Tx, project_id: ProjectId, session_id: SessionId, configs: JsonObject
) -> bool:
    """Replace a session's configs; False if there is no such session."""
    values = {"configs": configs, "updated_at": func.clock_timestamp()}
    return await _update(tx, project_id, session_id, values)


async def connect(tx: Tx, project_id: ProjectId, session_id: SessionId, space_id: SpaceId) -> bool:
    """Name the space of a session; False if there is no such session."""
    values = {"space_id": space_id, "updated_at": func.clock_timestamp()}
    return await _update(tx, project_id, session_id, values)


async def disconnect_space(tx: Tx, project_id: ProjectId, space_id: SpaceId) -> None:
    """Take a space away from all its sessions."""
    values = {"space_id": None, "updated_at": func.clock_timestamp()}
    connected = and_(SessionRow.project_id == project_id, SessionRow.space_id == space_id)
    await tx.execute(update(SessionRow).where(connected).values(values))


async def delete_session(tx: Tx, project_id: ProjectId, session_id: SessionId) -> bool:
    """Remove a session with its log; False if there is no such session."""
    gone = delete(SessionRow).where(_is(project_id, session_id)).returning(SessionRow.session_id)
    return (await tx.execute(gone)).first() is not None


async def _update(
    tx: Tx, project_id: ProjectId, session_id: SessionId, values: dict[str, Any]
) -> bool:
    changed = update(SessionRow).where(_is(project_id, session_id)).values(values)
    return (await tx.execute(changed.returning(SessionRow.session_id))).first() is not None


def _is(project_id: ProjectId, session_id: SessionId) -> ColumnElement[bool]:
    return and_(SessionRow.project_id == project_id, SessionRow.session_id == session_id)


def _session(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        id=SessionId(row.session_id),
        project_id=ProjectId(row.project_id),
        user_id=row.user_id,
        space_id=row.space_id,
        disable_task_tracking=row.disable_task_tracking,
        configs=cast("JsonObject", row.configs),  # the column only ever holds objects
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
