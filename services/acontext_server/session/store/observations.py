"""How far logs are observed, and what is to be said of single messages."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select, tuple_, update

from acontext_server.kit.database import Raw, Tx, array_of, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import SessionId, TaskId, UnobservedSession
from acontext_server.session.store.tables import LogRow, ProjectRow

_NOTE = """
INSERT INTO session.observation (project_id, session_id, sequence, {column})
SELECT m.project_id, m.session_id, m.sequence, noted.value
FROM unnest(%(sequences)s::int[], %(values){form}::{type}[]) AS noted (sequence, value)
JOIN session.message m
    ON m.project_id = %(project)s AND m.session_id = %(session)s AND m.sequence = noted.sequence
WHERE {condition}
ON CONFLICT ON CONSTRAINT observation_pkey
    DO UPDATE SET {column} = excluded.{column}, updated_at = clock_timestamp()
"""

_FAIL = _NOTE.format(column="failure", type="text", form="b", condition="true")
_LINK = _NOTE.format(
    column="task_id", type="uuid", form="s", condition="EXISTS (SELECT FROM moved)"
)

# A report may be late, or of more than is there since a backup was restored. One statement, so that
# those who store wait for the log's lock no longer than the server needs.
_MOVE = f"""
WITH moved AS (
    UPDATE session.log
    SET observed_through = least(%(observed)s, last_sequence),
        running_through = least(greatest(%(running)s, %(observed)s), last_sequence),
        waiting_since = CASE WHEN tracked THEN (
            SELECT created_at FROM session.message m
            WHERE m.project_id = log.project_id AND m.session_id = log.session_id
                AND m.sequence = least(%(observed)s, last_sequence) + 1) END
    WHERE project_id = %(project)s AND session_id = %(session)s
        AND least(%(observed)s, last_sequence) >= observed_through
    RETURNING 1
), linked AS ({_LINK})
SELECT count(*) FROM moved
"""


async def move_observed(
    tx: Raw,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    observed: int,
    running: int,
    links: Mapping[int, TaskId | None],
) -> bool:
    """Say how far a log is observed and which tasks took messages; False if it is further."""
    where = {"project": project_id, "session": session_id}
    far = {"observed": observed, "running": running}
    linked = {"sequences": array_of(links), "values": array_of(links.values())}
    [(moved,)] = await fetch(tx, _MOVE, {**where, **far, **linked})
    return bool(moved)


async def note_failures(
    tx: Raw, project_id: ProjectId, session_id: SessionId, failures: Mapping[int, str | None]
) -> None:
    """Say of messages why they could not be observed, or that they are no longer failed."""
    where = {"project": project_id, "session": session_id}
    noted = {"sequences": array_of(failures), "values": [*failures.values()]}
    await fetch(tx, _FAIL, {**where, **noted})


async def note_pause(tx: Tx, project_id: ProjectId, *, until: datetime) -> None:
    """Note until when a project's models pause."""
    noted = update(ProjectRow).where(ProjectRow.project_id == project_id)
    await tx.execute(noted.values(paused_until=until))


async def oldest_waiting_age(tx: Tx) -> float:
    """Say for how many seconds the oldest message of all projects has waited; 0 if none does.

    Where models pause it waits for somebody's decision, which is told as such.
    """
    pauses = exists().where(
        ProjectRow.project_id == LogRow.project_id, ProjectRow.paused_until > func.now()
    )
    waited = func.clock_timestamp() - func.min(LogRow.waiting_since)
    query = select(func.extract("epoch", waited)).where(LogRow.waiting_since.is_not(None), ~pauses)
    seconds = (await tx.execute(query)).scalar_one()
    return max(0.0, float(seconds or 0))


async def list_waiting(
    tx: Tx, *, older_than: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[UnobservedSession]:
    """Name sessions, of all projects, whose oldest waiting message is older than a time."""
    conditions: list[ColumnElement[bool]] = [LogRow.waiting_since < older_than]
    if after is not None:
        conditions.append(tuple_(LogRow.waiting_since, LogRow.session_id) > tuple_(*after))
    query = (
        select(
            LogRow.project_id,
            LogRow.session_id,
            LogRow.last_sequence,
            LogRow.observed_through,
            LogRow.waiting_since,
        )
        .where(and_(*conditions))
        .order_by(LogRow.waiting_since, LogRow.session_id)
        .limit(limit + 1)
    )
    return [
        UnobservedSession(
            project_id=ProjectId(row.project_id),
            session_id=SessionId(row.session_id),
            last_sequence=row.last_sequence,
            observed_through=row.observed_through,
            waiting_since=row.waiting_since,
        )
        for row in await tx.execute(query)
    ]
