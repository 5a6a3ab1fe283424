"""How far logs are observed, and what is to be said of single messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.session.domain import SessionId, TaskId, UnobservedSession
from acontext_server.session.store.tables import LogRow, MessageRow, ObservationRow, ProjectRow


async def move_observed(
    tx: Tx, project_id: ProjectId, session_id: SessionId, *, observed: int, running: int
) -> None:
    """Say how far a log is observed, and since when the rest waits."""
    next_stored = (
        select(MessageRow.created_at)
        .where(
            MessageRow.project_id == project_id,
            MessageRow.session_id == session_id,
            MessageRow.sequence == observed + 1,
        )
        .scalar_subquery()
    )
    values = {
        "observed_through": observed,
        "running_through": running,
        "waiting_since": case((LogRow.tracked, next_stored)),
    }
    moved = update(LogRow).where(LogRow.project_id == project_id, LogRow.session_id == session_id)
    await tx.execute(moved.values(values))


async def note_failures(
    tx: Tx, project_id: ProjectId, session_id: SessionId, failures: dict[int, str | None]
) -> None:
    """Say of messages why they could not be observed, or that they are no longer failed."""
    values = [(sequence, {"failure": failure}) for sequence, failure in failures.items()]
    await _note(tx, project_id, session_id, values)


async def note_links(
    tx: Tx, project_id: ProjectId, session_id: SessionId, links: dict[int, TaskId | None]
) -> None:
    """Say of messages which task took them."""
    values = [(sequence, {"task_id": task_id}) for sequence, task_id in links.items()]
    await _note(tx, project_id, session_id, values)


async def _note(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    values: Sequence[tuple[int, dict[str, Any]]],
) -> None:
    if not values:
        return
    known = await _known(tx, project_id, session_id, [sequence for sequence, _ in values])
    key = {"project_id": project_id, "session_id": session_id}
    rows = [
        {**key, "sequence": sequence, **value} for sequence, value in values if sequence in known
    ]
    if not rows:
        return
    noted = insert(ObservationRow)
    changed = {name: getattr(noted.excluded, name) for name in values[0][1]}
    changed["updated_at"] = func.clock_timestamp()
    await tx.execute(noted.on_conflict_do_update(constraint="observation_pkey", set_=changed), rows)


async def _known(
    tx: Tx, project_id: ProjectId, session_id: SessionId, sequences: Sequence[int]
) -> set[int]:
    query = select(MessageRow.sequence).where(
        MessageRow.project_id == project_id,
        MessageRow.session_id == session_id,
        MessageRow.sequence.in_(sequences),
    )
    return set((await tx.execute(query)).scalars())


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
