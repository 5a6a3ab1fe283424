"""The log of changes of a project's tasks, in the order of their commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import SessionId, Task, TaskChange, TaskId
from acontext_server.observer.store import snapshots
from acontext_server.observer.store.tables import ChangeCountRow, ChangeRow

_row = ChangeRow


async def append(
    tx: Tx, project_id: ProjectId, changes: Sequence[tuple[Task, bool]], *, at: datetime
) -> None:
    """Write changes, each with whether the task was taken away, at the end of the log.

    It is the last thing that a transaction does: other writers of the project wait for its commit.
    """
    if not changes:
        return
    counter = insert(ChangeCountRow).values(project_id=project_id, last=len(changes))
    counted = counter.on_conflict_do_update(
        index_elements=[ChangeCountRow.project_id],
        set_={"last": ChangeCountRow.last + len(changes)},
    ).returning(ChangeCountRow.last)
    first = (await tx.execute(counted)).scalar_one() - len(changes) + 1
    rows = [
        {
            "project_id": project_id,
            "position": position,
            "session_id": task.session_id,
            "task_id": task.id,
            "removed": removed,
            "task": snapshots.to_json(task),
            "occurred_at": at,
        }
        for position, (task, removed) in enumerate(changes, start=first)
    ]
    await tx.execute(insert(_row), rows)


async def after(
    tx: Tx, project_id: ProjectId, session_id: SessionId | None, *, position: int, limit: int
) -> Sequence[TaskChange]:
    """List changes beyond a position."""
    statement = select(_row).where(_row.project_id == project_id, _row.position > position)
    if session_id is not None:
        statement = statement.where(_row.session_id == session_id)
    statement = statement.order_by(_row.position).limit(limit)
    return [_change(row) for row in await tx.execute(statement)]


async def last(tx: Tx, project_id: ProjectId) -> int:
    """Say where the log of a project ends."""
    found = await tx.scalar(
        select(ChangeCountRow.last).where(ChangeCountRow.project_id == project_id)
    )
    return found or 0


async def forget_session(tx: Tx, project_id: ProjectId, session_id: SessionId) -> None:
    """Remove what was said about a session's tasks."""
    await tx.execute(
        delete(_row).where(_row.project_id == project_id, _row.session_id == session_id)
    )


async def forget_project(tx: Tx, project_id: ProjectId) -> None:
    """Remove a project's log."""
    await tx.execute(delete(_row).where(_row.project_id == project_id))
    await tx.execute(delete(ChangeCountRow).where(ChangeCountRow.project_id == project_id))


async def forget_removals(tx: Tx, *, before: datetime) -> None:
    """Drop what only tells that a task is gone, once every watcher has had its time.

    It crosses projects, as every sweep does.
    """
    await tx.execute(delete(_row).where(_row.removed, _row.occurred_at < before))


def _change(row: Row[Any]) -> TaskChange:
    task = snapshots.from_json(
        ProjectId(row.project_id), SessionId(row.session_id), TaskId(row.task_id), row.task
    )
    return TaskChange(
        position=row.position, task=task, removed=row.removed, occurred_at=row.occurred_at
    )
