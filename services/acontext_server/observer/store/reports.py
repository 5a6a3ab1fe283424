"""What session is still to be told, and the messages that could not be observed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Raw, Tx, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import (
    Failure,
    Link,
    MessageId,
    Report,
    SessionId,
    TaskId,
)
from acontext_server.observer.store.tables import FailedMessageRow, ReportRow

_row = ReportRow
_failed = FailedMessageRow


@dataclass(frozen=True, slots=True)
class Untold:
    """A report that session has not acknowledged yet."""

    id: UUID
    project_id: ProjectId
    session_id: SessionId
    report: Report


_ADD = """
INSERT INTO observer.report (project_id, session_id, id, report, created_at)
VALUES (%s, %s, %s, %s, %s)
"""


async def add(tx: Tx, untold: Untold, *, at: datetime) -> None:
    """Keep a report until it is acknowledged."""
    key = (untold.project_id, untold.session_id, untold.id)
    await fetch(tx, _ADD, (*key, Jsonb(_kept(untold.report)), at))


_UNTOLD = """
SELECT id, report FROM observer.report
WHERE project_id = %s AND session_id = %s
ORDER BY id
"""


async def untold(tx: Raw, project_id: ProjectId, session_id: SessionId) -> Sequence[Untold]:
    """List what a session is still to be told, oldest first."""
    rows = await fetch(tx, _UNTOLD, (project_id, session_id))
    return [Untold(id_, project_id, session_id, _report(kept)) for id_, kept in rows]


async def sessions_to_tell(
    tx: Tx, *, before: datetime, limit: int
) -> Sequence[tuple[ProjectId, SessionId]]:
    """List sessions, of all projects, whose reports should have been acknowledged for longest."""
    statement = (
        select(_row.project_id, _row.session_id)
        .where(_row.created_at < before)
        .group_by(_row.project_id, _row.session_id)
        .order_by(func.min(_row.created_at), _row.session_id)
        .limit(limit)
    )
    rows = await tx.execute(statement)
    return [(ProjectId(row.project_id), SessionId(row.session_id)) for row in rows]


_ACKNOWLEDGE = """
DELETE FROM observer.report WHERE project_id = %s AND session_id = %s AND id = %s
"""


async def acknowledge(tx: Raw, told: Untold) -> None:
    """Forget a report that has arrived."""
    await fetch(tx, _ACKNOWLEDGE, (told.project_id, told.session_id, told.id))


async def has_untold(tx: Tx, project_id: ProjectId, session_id: SessionId) -> bool:
    """Say whether anything is still to be acknowledged."""
    statement = select(_row.id).where(_row.project_id == project_id, _row.session_id == session_id)
    return (await tx.execute(statement.limit(1))).first() is not None


async def fail(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    failures: Sequence[Failure],
    *,
    at: datetime,
) -> None:
    """Keep why messages could not be observed."""
    if not failures:
        return
    rows = [
        {
            "project_id": project_id,
            "session_id": session_id,
            "sequence": failure.sequence,
            "message_id": failure.message_id,
            "reason": failure.reason,
            "retrying": False,
            "failed_at": at,
        }
        for failure in failures
    ]
    fresh = insert(_failed)
    statement = fresh.on_conflict_do_update(
        index_elements=[_failed.project_id, _failed.session_id, _failed.sequence],
        set_={"reason": fresh.excluded.reason, "retrying": False, "failed_at": at},
    )
    await tx.execute(statement, rows)


async def heal(
    tx: Tx, project_id: ProjectId, session_id: SessionId, sequences: Sequence[int]
) -> None:
    """Forget failures of messages that were observed after all."""
    if not sequences:
        return
    await tx.execute(
        delete(_failed).where(
            _failed.project_id == project_id,
            _failed.session_id == session_id,
            _failed.sequence.in_(sequences),
        )
    )


async def failed_sequences(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Sequence[int]:
    """List the messages of a session that could not be observed."""
    statement = select(_failed.sequence).where(
        _failed.project_id == project_id, _failed.session_id == session_id
    )
    return sorted((await tx.execute(statement)).scalars())


async def retry(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Sequence[int]:
    """Ask for all failed messages of a session again, and say which."""
    statement = (
        update(_failed)
        .where(_failed.project_id == project_id, _failed.session_id == session_id)
        .values(retrying=True)
        .returning(_failed.sequence)
    )
    return sorted((await tx.execute(statement)).scalars())


_TO_RETRY = """
SELECT message_id FROM observer.failed_message
WHERE project_id = %s AND session_id = %s AND retrying
ORDER BY sequence
LIMIT %s
"""


async def to_retry(
    tx: Raw, project_id: ProjectId, session_id: SessionId, *, limit: int
) -> Sequence[MessageId]:
    """List failed messages that were asked for again, oldest first."""
    rows = await fetch(tx, _TO_RETRY, (project_id, session_id, limit))
    return [message_id for (message_id,) in rows]


async def count_failed(
    tx: Tx, project_id: ProjectId, session_id: SessionId, *, after: int = 0, through: int
) -> tuple[int, str]:
    """Count failed messages beyond one sequence and up to another, with one of the reasons."""
    statement = select(func.count(), func.max(_failed.reason)).where(
        _failed.project_id == project_id,
        _failed.session_id == session_id,
        _failed.sequence > after,
        _failed.sequence <= through,
    )
    count, reason = (await tx.execute(statement)).one()
    return count, reason or ""


def _kept(report: Report) -> dict[str, Any]:
    return {
        "observed_through": report.observed_through,
        "running_through": report.running_through,
        "failures": [
            [failure.sequence, str(failure.message_id), failure.reason]
            for failure in report.failures
        ],
        "links": [
            [link.sequence, str(link.task_id) if link.task_id else None] for link in report.links
        ],
        "healed": list(report.healed),
    }


def _report(kept: dict[str, Any]) -> Report:
    return Report(
        observed_through=kept["observed_through"],
        running_through=kept["running_through"],
        failures=tuple(
            Failure(sequence=sequence, message_id=MessageId(UUID(message)), reason=reason)
            for sequence, message, reason in kept["failures"]
        ),
        links=tuple(
            Link(sequence=sequence, task_id=TaskId(UUID(task)) if task else None)
            for sequence, task in kept["links"]
        ),
        healed=tuple(kept["healed"]),
    )
