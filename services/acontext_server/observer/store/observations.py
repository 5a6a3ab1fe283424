"""How far each session is observed: cursors, due times, leases.

What every look for work and every batch needs goes through the driver itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Raw, Tx, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import Lease, LeaseLost, SessionId, SpaceId, Standing, UserId
from acontext_server.observer.store.tables import ObservationRow

_row = ObservationRow

LogKey: TypeAlias = tuple[ProjectId, SessionId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A session's row, locked until the transaction ends."""

    cursor: int
    space_id: SpaceId | None


@dataclass(frozen=True, slots=True)
class End:
    """How far a log has grown, when we heard of it, and what its newest message was stored in."""

    sequence: int
    at: datetime
    trace: str | None = None


async def tell_of(tx: Tx, ends: Mapping[LogKey, End], *, idle: timedelta, turns: int) -> None:
    """Note that logs reached these sequences.

    A session is due when it has been quiet for the idle time, or at once when so many turns wait; a
    batch that failed keeps the time of its next try.
    """
    rows = [
        {
            **_new(*key, end.at),
            "seen": end.sequence,
            "due_at": end.at if end.sequence >= turns else end.at + idle,
            "waiting_since": end.at,
            "trace": end.trace,
        }
        for key, end in sorted(ends.items())  # two must not cross
    ]
    fresh = insert(_row)
    at = fresh.excluded.waiting_since
    many = fresh.excluded.seen - _row.cursor >= turns
    failing = and_(_row.attempts > 0, _row.due_at.is_not(None))
    due = case((failing, _row.due_at), (many, at), else_=at + idle)
    statement = fresh.on_conflict_do_update(
        index_elements=[_row.project_id, _row.session_id],
        set_={
            "seen": fresh.excluded.seen,
            "due_at": due,
            "waiting_since": func.coalesce(_row.waiting_since, at),
            "trace": fresh.excluded.trace,
        },
        where=and_(fresh.excluded.seen > _row.seen, fresh.excluded.seen > _row.cursor),
    )
    await tx.execute(statement, rows)


async def catch_up(
    tx: Tx, project_id: ProjectId, session_id: SessionId, *, sequence: int, at: datetime
) -> None:
    """Note what nudges did not tell: a session that waits for nothing is due now."""
    fresh = insert(_row).values(
        **_new(project_id, session_id, at), seen=sequence, due_at=at, waiting_since=at
    )
    statement = fresh.on_conflict_do_update(
        index_elements=[_row.project_id, _row.session_id],
        set_={
            "seen": func.greatest(_row.seen, fresh.excluded.seen),
            "due_at": func.coalesce(_row.due_at, at),
            "waiting_since": func.coalesce(_row.waiting_since, at),
        },
        where=fresh.excluded.seen > _row.cursor,
    )
    await tx.execute(statement)


_MAKE_DUE = """
UPDATE observer.observation SET due_at = %s WHERE project_id = %s AND session_id = %s
"""


async def make_due(
    tx: Tx | Raw, project_id: ProjectId, session_id: SessionId, *, at: datetime
) -> None:
    """Let a session be observed now, whatever it waits for."""
    await fetch(tx, _MAKE_DUE, (at, project_id, session_id))


_LEASE = """
WITH due AS (
    SELECT project_id, session_id FROM observer.observation
    WHERE due_at <= %(at)s AND (lease_until IS NULL OR lease_until < %(at)s)
    ORDER BY due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE observer.observation
SET lease_owner = %(owner)s, lease_until = %(until)s
FROM due
WHERE observation.project_id = due.project_id AND observation.session_id = due.session_id
RETURNING due.project_id, due.session_id, cursor, attempts, engine_state, trace,
    EXISTS (SELECT FROM observer.report r
            WHERE r.project_id = due.project_id AND r.session_id = due.session_id)
    OR EXISTS (SELECT FROM observer.failed_message f
               WHERE f.project_id = due.project_id AND f.session_id = due.session_id AND f.retrying)
"""


async def lease(tx: Raw, owner: UUID, *, at: datetime, until: datetime) -> Lease | None:
    """Take the session that has been due for longest and that nobody observes.

    It crosses projects: this is the sweep that all work begins with.
    """
    for project_id, session_id, cursor, attempts, engine_state, trace, has_leftovers in await fetch(
        tx, _LEASE, {"owner": owner, "at": at, "until": until}
    ):
        return Lease(
            project_id=project_id,
            session_id=session_id,
            owner=owner,
            cursor=cursor,
            attempts=attempts,
            engine_state=engine_state,
            trace=trace,
            has_leftovers=has_leftovers,
        )
    return None


async def lease_one(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    owner: UUID,
    *,
    at: datetime,
    until: datetime,
) -> Lease | None:
    """Take a certain session, unless somebody observes it; one that nobody told of begins here."""
    fresh = insert(_row).values(**_new(project_id, session_id, at), seen=0)
    await tx.execute(fresh.on_conflict_do_nothing())
    free = or_(_row.lease_until.is_(None), _row.lease_until < at)
    taken = _of(project_id, session_id).where(free).values(lease_owner=owner, lease_until=until)
    standing = (_row.cursor, _row.attempts, _row.engine_state, _row.trace)
    found = await tx.execute(taken.returning(*standing))
    row = found.one_or_none()
    if row is None:
        return None
    return Lease(
        project_id=project_id,
        session_id=session_id,
        owner=owner,
        cursor=row.cursor,
        attempts=row.attempts,
        engine_state=row.engine_state,
        trace=row.trace,
    )


async def give_back(tx: Tx, held: Lease, *, at: datetime) -> None:
    """Give a lease back and leave all else as it is; nothing if it was lost."""
    await tx.execute(_of_lease(held, at).values(lease_owner=None, lease_until=None))


async def generation(tx: Tx, project_id: ProjectId, session_id: SessionId) -> int:
    """Say how many generations of tasks a session has had."""
    statement = select(_row.generation).where(
        _row.project_id == project_id, _row.session_id == session_id
    )
    return await tx.scalar(statement) or 1


async def begin_generation(tx: Tx, project_id: ProjectId, session_id: SessionId) -> None:
    """Count one more generation of tasks."""
    await tx.execute(_of(project_id, session_id).values(generation=_row.generation + 1))


async def renew(
    tx: Tx, held: Lease, *, at: datetime, until: datetime, running_through: int | None = None
) -> None:
    """Keep a lease for longer; LeaseLost if it is somebody else's by now."""
    running = {} if running_through is None else {"running_through": running_through}
    statement = _of_lease(held, at).values(lease_until=until, **running)
    if (await tx.execute(statement)).rowcount != 1:
        raise LeaseLost


_OF_LEASE = """
WHERE project_id = %(project)s AND session_id = %(session)s
    AND lease_owner = %(owner)s AND lease_until > %(at)s
"""

_HOLD = f"SELECT cursor, space_id FROM observer.observation {_OF_LEASE} FOR UPDATE"


async def hold(tx: Tx, held: Lease, *, at: datetime) -> Held:
    """Lock the row of a session for the commit of a batch; LeaseLost if it may not be."""
    for cursor, space_id in await fetch(tx, _HOLD, _of_held(held, at)):
        if cursor == held.cursor:
            return Held(cursor=cursor, space_id=space_id)
    raise LeaseLost


_ADVANCE = """
UPDATE observer.observation
SET lease_until = %(until)s, cursor = %(cursor)s, running_through = 0, engine_state = %(state)s,
    attempts = 0, last_error = '', space_id = %(space)s, user_id = %(user)s,
    waiting_since = CASE WHEN seen > %(cursor)s THEN waiting_since END
WHERE project_id = %(project)s AND session_id = %(session)s
"""


async def advance(
    tx: Tx,
    held: Lease,
    *,
    until: datetime,
    cursor: int,
    state: dict[str, Any],
    space_id: SpaceId | None,
    user_id: UserId | None,
) -> None:
    """Move the cursor past a batch, keep the engine's state beside it, and the lease for longer."""
    values = {
        "project": held.project_id,
        "session": held.session_id,
        "until": until,
        "cursor": cursor,
        "state": Jsonb(state),
        "space": space_id,
        "user": user_id,
    }
    await fetch(tx, _ADVANCE, values)


async def release(tx: Tx, held: Lease, *, at: datetime, again: datetime | None) -> None:
    """Give a lease back; the session is due again at a time, or when something comes."""
    statement = _of_lease(held, at).values(
        lease_owner=None, lease_until=None, running_through=0, due_at=again
    )
    await tx.execute(statement)


_FINISH = f"""
WITH acknowledged AS (
    DELETE FROM observer.report
    WHERE project_id = %(project)s AND session_id = %(session)s AND id = %(report)s
)
UPDATE observer.observation
SET told_through = greatest(told_through, %(told)s), lease_owner = NULL, lease_until = NULL,
    running_through = 0,
    due_at = CASE WHEN seen > %(cursor)s THEN due_at END,
    waiting_since = CASE WHEN seen > %(cursor)s THEN waiting_since END
{_OF_LEASE}
RETURNING 1
"""


async def finish(
    tx: Raw, held: Lease, *, at: datetime, report: UUID | None = None, told_through: int = 0
) -> bool:
    """Give a lease back; what came meanwhile beyond the cursor keeps its due time.

    A report that has arrived is forgotten with it, so that the end of a batch is one statement.
    False if the lease was lost: then no more than the report is changed.
    """
    told = {"report": report, "told": told_through, "cursor": held.cursor}
    return bool(await fetch(tx, _FINISH, {**_of_held(held, at), **told}))


async def note_failure(tx: Tx, held: Lease, *, at: datetime, again: datetime, error: str) -> None:
    """Give a lease back after a failed attempt, to be tried again later."""
    await tx.execute(
        _of_lease(held, at).values(
            lease_owner=None,
            lease_until=None,
            running_through=0,
            due_at=again,
            attempts=_row.attempts + 1,
            last_error=error,
        )
    )


async def pause(tx: Tx, held: Lease, *, at: datetime, again: datetime, why: str) -> bool:
    """Give a lease back until a later look, and say whether the session had not paused before."""
    known = select(_row.last_error).where(*_matches(held, at)).with_for_update()
    before = (await tx.execute(known)).scalar_one_or_none()
    if before is None:
        return False
    await tx.execute(
        _of_lease(held, at).values(
            lease_owner=None, lease_until=None, running_through=0, due_at=again, last_error=why
        )
    )
    return before != why


_NOTE_TOLD = """
UPDATE observer.observation SET told_through = greatest(told_through, %s)
WHERE project_id = %s AND session_id = %s
"""


async def note_told(tx: Raw, project_id: ProjectId, session_id: SessionId, *, through: int) -> None:
    """Note how far session has acknowledged."""
    await fetch(tx, _NOTE_TOLD, (through, project_id, session_id))


async def standing(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Standing:
    """Say how far a session is; one that nobody told of has not begun."""
    statement = select(
        _row.cursor, _row.told_through, _row.running_through, _row.attempts, _row.last_error
    ).where(_row.project_id == project_id, _row.session_id == session_id)
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return Standing(cursor=0, told_through=0, running_through=0, attempts=0, last_error="")
    return Standing(**row._asdict())


async def connect(
    tx: Tx, project_id: ProjectId, session_id: SessionId, space_id: SpaceId | None, *, at: datetime
) -> bool:
    """Note the space of a session, and say whether it is another one than before."""
    fresh = insert(_row).values(**_new(project_id, session_id, at), seen=0, space_id=space_id)
    statement = fresh.on_conflict_do_update(
        index_elements=[_row.project_id, _row.session_id],
        set_={"space_id": space_id},
        where=_row.space_id.is_distinct_from(space_id),
    ).returning(_row.session_id)
    return (await tx.execute(statement)).one_or_none() is not None


async def lock(tx: Tx, project_id: ProjectId, session_id: SessionId) -> SpaceId | None:
    """Lock a session's row, so that its tasks change one after the other, and give its space."""
    statement = (
        select(_row.space_id)
        .where(_row.project_id == project_id, _row.session_id == session_id)
        .with_for_update()
    )
    found: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
    return SpaceId(found) if found else None


async def space_of(tx: Tx, project_id: ProjectId, session_id: SessionId) -> SpaceId | None:
    """Give the space of a session, as it was last heard of."""
    statement = select(_row.space_id).where(
        _row.project_id == project_id, _row.session_id == session_id
    )
    found: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
    return SpaceId(found) if found else None


async def forget_session(tx: Tx, project_id: ProjectId, session_id: SessionId) -> None:
    """Remove all that is known of a session."""
    await tx.execute(
        delete(_row).where(_row.project_id == project_id, _row.session_id == session_id)
    )


async def sessions_of_user(tx: Tx, project_id: ProjectId, user_id: UserId) -> Sequence[SessionId]:
    """List the sessions of a user that anything is known of."""
    statement = select(_row.session_id).where(
        _row.project_id == project_id, _row.user_id == user_id
    )
    return [SessionId(found) for found in (await tx.execute(statement)).scalars()]


async def forget_project(tx: Tx, project_id: ProjectId) -> None:
    """Remove all that is known of a project's sessions."""
    await tx.execute(delete(_row).where(_row.project_id == project_id))


async def oldest_waiting(tx: Tx, project_id: ProjectId) -> datetime | None:
    """Say since when the oldest unobserved message of a project waits."""
    statement = select(func.min(_row.waiting_since)).where(
        _row.project_id == project_id, _row.due_at.is_not(None)
    )
    found: datetime | None = await tx.scalar(statement)
    return found


def _new(project_id: ProjectId, session_id: SessionId, at: datetime) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "session_id": session_id,
        "created_at": at,
        "cursor": 0,
        "running_through": 0,
        "told_through": 0,
        "attempts": 0,
        "last_error": "",
        "engine_state": {},
    }


def _of(project_id: ProjectId, session_id: SessionId) -> Any:
    return update(_row).where(_row.project_id == project_id, _row.session_id == session_id)


def _of_held(held: Lease, at: datetime) -> dict[str, Any]:
    return {
        "project": held.project_id,
        "session": held.session_id,
        "owner": held.owner,
        "at": at,
    }


def _of_lease(held: Lease, at: datetime) -> Any:
    return update(_row).where(*_matches(held, at))


def _matches(held: Lease, at: datetime) -> Sequence[Any]:
    return (
        _row.project_id == held.project_id,
        _row.session_id == held.session_id,
        _row.lease_owner == held.owner,
        _row.lease_until > at,
    )
