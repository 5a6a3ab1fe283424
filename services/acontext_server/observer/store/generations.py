"""Former generations of tasks: what a new observation took the place of."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import SessionId, Task, TaskId
from acontext_server.observer.store import snapshots
from acontext_server.observer.store.tables import FormerTaskRow

_row = FormerTaskRow


async def keep(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    generation: int,
    tasks: Sequence[Task],
    *,
    at: datetime,
) -> None:
    """Keep the tasks of a generation as they are now."""
    rows = [
        {
            "project_id": project_id,
            "session_id": session_id,
            "generation": generation,
            "task_id": task.id,
            "task": snapshots.to_json(task),
            "kept_at": at,
        }
        for task in tasks
    ]
    if rows:
        await tx.execute(insert(_row), rows)


async def read(
    tx: Tx, project_id: ProjectId, session_id: SessionId, generation: int
) -> Sequence[Task]:
    """List the tasks of a former generation by order, as they were when it ended."""
    statement = select(_row.task_id, _row.task).where(
        _row.project_id == project_id,
        _row.session_id == session_id,
        _row.generation == generation,
    )
    found = [
        snapshots.from_json(project_id, session_id, TaskId(row.task_id), row.task)
        for row in await tx.execute(statement)
    ]
    return sorted(found, key=lambda task: task.order)
