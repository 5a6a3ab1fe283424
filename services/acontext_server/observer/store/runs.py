"""Runs of engines, and what a project's days count."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, cast, func, select

from acontext_server.kit.database import Tx, after_commit, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.kit.telemetry.metrics import count_run
from acontext_server.observer.domain import PLANNING, Run, RunId, SessionId
from acontext_server.observer.store.tables import MessageRow, RunRow, TaskRow

_row = RunRow


_ADD = """
INSERT INTO observer.run (project_id, id, session_id, engine, instruction_version, rounds,
                          tool_calls, input_tokens, output_tokens, cost, duration_seconds,
                          outcome, error, summary, created_at)
VALUES (%(project_id)s, %(id)s, %(session_id)s, %(engine)s, %(instruction_version)s, %(rounds)s,
        %(tool_calls)s, %(input_tokens)s, %(output_tokens)s, %(cost)s, %(duration_seconds)s,
        %(outcome)s, %(error)s, %(summary)s, %(created_at)s)
"""


async def add(tx: Tx, run: Run) -> None:
    """Keep a run, and count it once it is kept."""
    await fetch(tx, _ADD, asdict(run))
    tokens = {"taken": run.input_tokens, "given": run.output_tokens}
    after_commit(tx, partial(count_run, "observer", "observer", run.outcome, **tokens))


async def find(tx: Tx, project_id: ProjectId, run_id: RunId) -> Run | None:
    """Find a run."""
    statement = select(_row).where(_row.project_id == project_id, _row.id == run_id)
    row = (await tx.execute(statement)).one_or_none()
    return _run(row) if row else None


async def page(
    tx: Tx,
    project_id: ProjectId,
    *,
    session_id: SessionId | None,
    outcome: str,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Run]:
    """List runs by time, one more than the limit if there are more."""
    statement = select(_row).where(_row.project_id == project_id)
    if session_id is not None:
        statement = statement.where(_row.session_id == session_id)
    if outcome:
        statement = statement.where(_row.outcome == outcome)
    ordered = by_time(
        statement, _row.created_at, _row.id, after=after, descending=descending, limit=limit
    )
    return [_run(row) for row in await tx.execute(ordered)]


async def tasks_per_day(
    tx: Tx, project_id: ProjectId, *, time_zone: str, since: datetime
) -> Sequence[tuple[str, str, int]]:
    """Count tasks by the day they were first seen and their status now."""
    day = cast(func.timezone(time_zone, TaskRow.created_at), Date)
    statement = (
        select(day, TaskRow.status, func.count())
        .where(
            TaskRow.project_id == project_id,
            TaskRow.created_at >= since,
            TaskRow.order > PLANNING,
        )
        .group_by(day, TaskRow.status)
    )
    return [(row[0].isoformat(), row[1], row[2]) for row in await tx.execute(statement)]


async def messages_per_day(
    tx: Tx, project_id: ProjectId, *, time_zone: str, since: datetime
) -> Mapping[str, tuple[int, int]]:
    """Count sessions and messages by the day on which they were observed."""
    day = cast(func.timezone(time_zone, MessageRow.observed_at), Date)
    sessions = func.count(MessageRow.session_id.distinct())
    statement = (
        select(day, sessions, func.count())
        .where(MessageRow.project_id == project_id, MessageRow.observed_at >= since)
        .group_by(day)
    )
    return {row[0].isoformat(): (row[1], row[2]) for row in await tx.execute(statement)}


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)
    return Run(
        **{
            **values,
            "id": RunId(values["id"]),
            "project_id": ProjectId(values["project_id"]),
            "session_id": SessionId(values["session_id"]),
        }
    )
