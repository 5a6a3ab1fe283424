"""The queue of completed tasks, the leases under which they are learned, and runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from acontext_server.kit.database import Tx, after_commit
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.kit.telemetry.metrics import count_run
from acontext_server.space.domain.learning import Completion, Outcome, Run, WantedRuns
from acontext_server.space.store.tables import LearningRow, RunRow, SpaceRow


@dataclass(frozen=True)
class Leased:
    """A completed task that one worker may learn until its lease is over."""

    completion: Completion
    owner: UUID
    attempts: int
    trace: str | None = None
    """What completed the task."""
    outcome: str | None = None
    """What came of it, if that is written and only the vectors have to follow."""


async def enqueue(tx: Tx, completion: Completion, now: datetime, trace: str | None = None) -> bool:
    """Let a completed task wait to be learned; False if it was announced before."""
    row = {
        "project_id": completion.project_id,
        "task_id": completion.task_id,
        "task_version": completion.task_version,
        "space_id": completion.space_id,
        "session_id": completion.session_id,
        "due_at": now,
        "trace": trace,
    }
    added = upsert(LearningRow).values(row).on_conflict_do_nothing()
    return (await tx.execute(added.returning(LearningRow.task_id))).scalar() is not None


async def outcome_of(tx: Tx, completion: Completion) -> str | None:
    """Say what came of a completed task, if it was dealt with already."""
    statement = select(LearningRow.outcome).where(*_is(completion), LearningRow.due_at.is_(None))
    return (await tx.execute(statement)).scalar_one_or_none()


async def lease(tx: Tx, owner: UUID, now: datetime, until: datetime) -> Leased | None:
    """Take the task that is due for the longest time, of a space in which nobody learns."""
    row = LearningRow
    free = or_(SpaceRow.lease_until.is_(None), SpaceRow.lease_until < now)
    due = (
        select(*row.__table__.c)
        .join(SpaceRow, (SpaceRow.project_id == row.project_id) & (SpaceRow.id == row.space_id))
        .where(row.due_at <= now, free)
        .order_by(row.due_at, row.created_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=SpaceRow)
    )
    found = (await tx.execute(due)).one_or_none()
    if found is None:
        return None
    leased = Leased(_completion(found), owner, found.attempts, found.trace, found.outcome)
    await tx.execute(_space_of(leased).values(lease_owner=owner, lease_until=until))
    return leased


async def hold(tx: Tx, leased: Leased) -> bool:
    """Make sure, until the transaction ends, that the lease is ours and the task still waits."""
    completion = leased.completion
    statement = (
        select(SpaceRow.id)
        .join(LearningRow, LearningRow.project_id == SpaceRow.project_id)
        .where(
            *_is(completion),
            LearningRow.due_at.is_not(None),
            SpaceRow.project_id == completion.project_id,
            SpaceRow.id == completion.space_id,
            SpaceRow.lease_owner == leased.owner,
        )
        .with_for_update()
    )
    return (await tx.execute(statement)).scalar() is not None


async def renew(tx: Tx, leased: Leased, until: datetime) -> None:
    """Prolong a lease that is still ours."""
    mine = _space_of(leased).where(SpaceRow.lease_owner == leased.owner)
    await tx.execute(mine.values(lease_until=until))


async def release(tx: Tx, leased: Leased) -> None:
    """Let the next task of the space be learned."""
    mine = _space_of(leased).where(SpaceRow.lease_owner == leased.owner)
    await tx.execute(mine.values(lease_owner=None, lease_until=None))


async def decide(tx: Tx, completion: Completion, outcome: str) -> None:
    """Note what came of a task: it is never learned again in this version."""
    decided = update(LearningRow).where(*_is(completion))
    await tx.execute(decided.values(outcome=outcome, attempts=0))


async def is_decided(tx: Tx, completion: Completion) -> bool:
    """Say whether it is noted what came of a task."""
    decided = select(LearningRow.outcome.is_not(None)).where(*_is(completion))
    return bool((await tx.execute(decided)).scalar_one_or_none())


async def finish(tx: Tx, completion: Completion, outcome: str) -> None:
    """Note what came of a task, and that nothing is left to do for it."""
    done = update(LearningRow).where(*_is(completion))
    await tx.execute(done.values(outcome=outcome, due_at=None))


async def retry_failed(
    tx: Tx, project_id: ProjectId, space_id: UUID, session_id: UUID | None, now: datetime
) -> int:
    """Let what could not be learned wait again, and say how much that is."""
    row = LearningRow
    failed = update(row).where(
        row.project_id == project_id, row.space_id == space_id, row.outcome == Outcome.FAILED
    )
    if session_id is not None:
        failed = failed.where(row.session_id == session_id)
    again = failed.values(outcome=None, attempts=0, due_at=now).returning(row.task_id)
    return len((await tx.execute(again)).scalars().all())


async def count_failed(tx: Tx, *, limit: int) -> Sequence[tuple[ProjectId, UUID, int]]:
    """Name the spaces, of all projects, in which most tasks could not be learned."""
    row = LearningRow
    number = func.count().label("number")
    statement = (
        select(row.project_id, row.space_id, number)
        .where(row.outcome == Outcome.FAILED)
        .group_by(row.project_id, row.space_id)
        .order_by(number.desc(), row.space_id)
        .limit(limit)
    )
    found = await tx.execute(statement)
    return [(ProjectId(one.project_id), one.space_id, one.number) for one in found]


async def postpone(tx: Tx, leased: Leased, due_at: datetime) -> None:
    """Try again later."""
    later = update(LearningRow).where(*_is(leased.completion))
    await tx.execute(later.values(attempts=leased.attempts + 1, due_at=due_at))


async def pause(tx: Tx, leased: Leased, due_at: datetime) -> None:
    """Look again later, without counting it as a try."""
    later = update(LearningRow).where(*_is(leased.completion))
    await tx.execute(later.values(due_at=due_at))


async def was_refused(tx: Tx, completion: Completion, why: str) -> bool:
    """Say whether a run tells already that a task waits for this reason."""
    row = RunRow
    told = select(row.id).where(
        row.project_id == completion.project_id,
        row.session_id == completion.session_id,
        row.task_id == completion.task_id,
        row.outcome == "refused",
        row.error == why,
    )
    return (await tx.execute(told.limit(1))).scalar() is not None


async def is_outdated(tx: Tx, completion: Completion) -> bool:
    """Say whether the task was completed anew since."""
    row = LearningRow
    newer = select(row.task_id).where(
        row.project_id == completion.project_id,
        row.task_id == completion.task_id,
        row.task_version > completion.task_version,
    )
    return (await tx.execute(newer.limit(1))).scalar() is not None


async def forget_session(tx: Tx, project_id: ProjectId, session_id: UUID) -> None:
    """Forget the tasks and runs of a session that is gone."""
    for row in (LearningRow, RunRow):
        await tx.execute(
            delete(row).where(row.project_id == project_id, row.session_id == session_id)
        )


async def insert_run(tx: Tx, run: Run) -> None:
    """Keep what one piece of work cost and how it ended, and count it once it is kept."""
    row = {
        "project_id": run.project_id,
        "id": run.id,
        "role": run.role,
        "engine": run.engine,
        "instruction_version": run.instruction_version,
        "session_id": run.session_id,
        "task_id": run.task_id,
        "space_id": run.space_id,
        "rounds": run.rounds,
        "tool_calls": run.tool_calls,
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cost": run.cost,
        "duration_seconds": run.duration_seconds,
        "outcome": run.outcome,
        "error": run.error,
        "summary": run.summary,
        "created_at": run.created_at,
    }
    await tx.execute(insert(RunRow).values(row))
    tokens = {"taken": run.input_tokens, "given": run.output_tokens}
    after_commit(tx, partial(count_run, "space", run.role, run.outcome, **tokens))


async def find_run(tx: Tx, project_id: ProjectId, run_id: UUID) -> Run | None:
    """Find a run."""
    row = RunRow
    statement = select(*row.__table__.c).where(row.project_id == project_id, row.id == run_id)
    found = (await tx.execute(statement)).one_or_none()
    return Run(**found._mapping) if found else None


async def list_runs(
    tx: Tx,
    project_id: ProjectId,
    *,
    wanted: WantedRuns,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Run]:
    """Read a page of runs, and one more."""
    row = RunRow
    statement = select(*row.__table__.c).where(row.project_id == project_id)
    for name, value in asdict(wanted).items():
        if value:
            statement = statement.where(getattr(row, name) == value)
    paged = by_time(
        statement, row.created_at, row.id, after=after, descending=descending, limit=limit
    )
    return [Run(**one._mapping) for one in await tx.execute(paged)]


def _space_of(leased: Leased) -> Any:
    completion = leased.completion
    return update(SpaceRow).where(
        SpaceRow.project_id == completion.project_id, SpaceRow.id == completion.space_id
    )


def _is(completion: Completion) -> tuple[Any, ...]:
    return (
        LearningRow.project_id == completion.project_id,
        LearningRow.task_id == completion.task_id,
        LearningRow.task_version == completion.task_version,
    )


def _completion(row: Row[Any]) -> Completion:
    return Completion(
        project_id=ProjectId(row.project_id),
        space_id=row.space_id,
        session_id=row.session_id,
        task_id=row.task_id,
        task_version=row.task_version,
    )
