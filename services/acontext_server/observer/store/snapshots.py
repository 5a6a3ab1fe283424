"""A task as it was at some moment, in one JSON value."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import SessionId, Task, TaskId, TaskState, TaskStatus


def to_json(task: Task) -> dict[str, Any]:
    """Keep all of a task but its ids, which are columns beside it."""
    return {
        "order": task.order,
        "status": task.status.value,
        "description": task.state.description,
        "progresses": list(task.state.progresses),
        "preferences": list(task.state.preferences),
        "settled": task.state.settled,
        "outcome_reason": task.state.outcome_reason,
        "version": task.version,
        "completions": task.completions,
        "space_digested": task.space_digested,
        "created_at": task.created_at.isoformat(),
        "updated_at": task.updated_at.isoformat(),
    }


def from_json(
    project_id: ProjectId, session_id: SessionId, task_id: TaskId, kept: Mapping[str, Any]
) -> Task:
    """Give the task back that `to_json` kept, also when an earlier release did."""
    state = TaskState(
        id=task_id,
        order=kept["order"],
        status=TaskStatus(kept["status"]),
        description=kept["description"],
        progresses=tuple(kept["progresses"]),
        preferences=tuple(kept["preferences"]),
        settled=kept["settled"],
        outcome_reason=kept.get("outcome_reason", ""),
    )
    return Task(
        project_id=project_id,
        session_id=session_id,
        state=state,
        version=kept["version"],
        completions=kept["completions"],
        space_digested=kept["space_digested"],
        created_at=datetime.fromisoformat(kept["created_at"]),
        updated_at=datetime.fromisoformat(kept["updated_at"]),
    )
