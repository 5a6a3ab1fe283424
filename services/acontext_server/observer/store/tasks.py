"""Tasks, and the messages that they came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import ARRAY, Uuid, any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Raw, Tx, array_of, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.observer.domain import (
    PLANNING,
    Learning,
    Link,
    MessageId,
    SessionId,
    SpaceId,
    Task,
    TaskId,
    TaskMessage,
    TaskState,
    TaskStatus,
)
from acontext_server.observer.store.tables import MessageRow, ObservationRow, TaskRow

_row = TaskRow
_message = MessageRow


# Each column by its name: a kept plan must not change its result when a migration adds one.
_ALL_OF_SESSION = """
SELECT project_id, session_id, id, "order", status, description, progresses, preferences, settled,
       outcome_reason, version, completions, space_digested, created_at, updated_at
FROM observer.task
WHERE project_id = %s AND session_id = %s
ORDER BY "order"
"""


async def all_of_session(
    tx: Tx | Raw, project_id: ProjectId, session_id: SessionId
) -> Sequence[Task]:
    """List a session's tasks by order, the planning section included."""
    rows = await fetch(tx, _ALL_OF_SESSION, (project_id, session_id), row_factory=namedtuple_row)
    return [_task(row) for row in rows]


async def page(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    after: int | None,
    descending: bool,
    limit: int,
) -> Sequence[Task]:
    """List tasks by order, beginning beyond one, without the planning section."""
    statement = select(_row).where(
        _row.project_id == project_id, _row.session_id == session_id, _row.order > PLANNING
    )
    if after is not None:
        statement = statement.where(_row.order < after if descending else _row.order > after)
    statement = statement.order_by(_row.order.desc() if descending else _row.order).limit(limit)
    return [_task(row) for row in await tx.execute(statement)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which of a project's tasks a list shows; what is None or empty leaves none out."""

    status: str = ""
    seen_after: datetime | None = None
    seen_before: datetime | None = None


async def page_of_project(
    tx: Tx,
    project_id: ProjectId,
    which: TaskFilter,
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Task]:
    """List tasks of all sessions by time, one more than the limit if there are more."""
    statement = select(_row).where(_row.project_id == project_id, _row.order > PLANNING)
    if which.status:
        statement = statement.where(_row.status == which.status)
    if which.seen_after:
        statement = statement.where(_row.created_at >= which.seen_after)
    if which.seen_before:
        statement = statement.where(_row.created_at < which.seen_before)
    ordered = by_time(
        statement, _row.created_at, _row.id, after=after, descending=descending, limit=limit
    )
    return [_task(row) for row in await tx.execute(ordered)]


async def find(tx: Tx, project_id: ProjectId, task_id: TaskId) -> Task | None:
    """Find a task; the planning section is none."""
    statement = select(_row).where(
        _row.project_id == project_id, _row.id == task_id, _row.order > PLANNING
    )
    row = (await tx.execute(statement)).one_or_none()
    return _task(row) if row else None


async def put(tx: Tx, tasks: Sequence[Task]) -> None:
    """Write the given versions of tasks in place of what was there."""
    if not tasks:
        return
    fresh = insert(_row)
    kept = {"project_id", "id", "session_id", "created_at"}
    changed = {key: fresh.excluded[key] for key in _values(tasks[0]) if key not in kept}
    statement = fresh.on_conflict_do_update(index_elements=[_row.project_id, _row.id], set_=changed)
    await tx.execute(statement, [_values(task) for task in tasks])


async def remove(tx: Tx, project_id: ProjectId, merged: Mapping[TaskId, TaskId]) -> Sequence[Link]:
    """Remove tasks that became part of others, and give those their messages."""
    moved: list[Link] = []
    for task_id, into in merged.items():
        statement = (
            update(_message)
            .where(_message.project_id == project_id, _message.task_id == task_id)
            .values(task_id=into)
            .returning(_message.sequence)
        )
        found = (await tx.execute(statement)).scalars()
        moved += [Link(sequence=sequence, task_id=into) for sequence in found]
        await tx.execute(delete(_row).where(_row.project_id == project_id, _row.id == task_id))
    return moved


async def replace(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    *,
    changed: Sequence[Task],
    removed: Sequence[TaskId],
) -> None:
    """Put tasks in the place of others, whatever orders they take over from each other."""
    of_session = (_row.project_id == project_id, _row.session_id == session_id)
    await tx.execute(delete(_row).where(*of_session, _row.id.in_(removed)))
    # Orders are unique, so those that move step aside first.
    moving = update(_row).where(*of_session, _row.id.in_([task.id for task in changed]))
    await tx.execute(moving.values(order=-1 - _row.order))
    await put(tx, changed)


async def links_of_session(
    tx: Tx, project_id: ProjectId, session_id: SessionId
) -> Mapping[MessageId, TaskId]:
    """Say which messages belong to which tasks."""
    statement = select(_message.message_id, _message.task_id).where(
        _message.project_id == project_id,
        _message.session_id == session_id,
        _message.task_id.is_not(None),
    )
    rows = await tx.execute(statement)
    return {MessageId(row.message_id): TaskId(row.task_id) for row in rows}


async def unlink(
    tx: Tx, project_id: ProjectId, session_id: SessionId, messages: Sequence[MessageId]
) -> Sequence[Link]:
    """Take messages from their tasks, and say which by sequence."""
    statement = (
        update(_message)
        .where(
            _message.project_id == project_id,
            _message.session_id == session_id,
            _message.message_id == _any(messages),
        )
        .values(task_id=None)
        .returning(_message.sequence)
    )
    return [Link(sequence=found, task_id=None) for found in (await tx.execute(statement)).scalars()]


_REMEMBER = """
INSERT INTO observer.message (project_id, session_id, sequence, message_id, task_id, observed_at)
SELECT %(project)s, %(session)s, read.sequence, read.message_id, read.task_id, %(at)s
FROM unnest(%(sequences)s::int[], %(messages)s::uuid[], %(tasks)s::uuid[])
     AS read (sequence, message_id, task_id)
ON CONFLICT (project_id, session_id, sequence)
    DO UPDATE SET task_id = excluded.task_id WHERE excluded.task_id IS NOT NULL
"""


async def remember_messages(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    messages: Sequence[TaskMessage],
    links: Mapping[MessageId, TaskId] = MappingProxyType({}),
    *,
    at: datetime,
) -> Sequence[Link]:
    """Note that messages were observed, and say which of them went to which tasks.

    One that was observed before keeps its first time.
    """
    values = {
        "project": project_id,
        "session": session_id,
        "sequences": array_of([message.sequence for message in messages]),
        "messages": array_of([message.message_id.hex for message in messages]),
        "tasks": array_of([links.get(message.message_id) for message in messages]),
        "at": at,
    }
    if messages:
        await fetch(tx, _REMEMBER, values)
    return [
        Link(sequence=message.sequence, task_id=links[message.message_id])
        for message in messages
        if message.message_id in links
    ]


async def link(
    tx: Tx,
    project_id: ProjectId,
    session_id: SessionId,
    links: Mapping[MessageId, TaskId],
) -> Sequence[Link]:
    """Give messages to tasks, and say which messages by sequence."""
    by_task: dict[TaskId, list[MessageId]] = {}
    for message_id, task_id in links.items():
        by_task.setdefault(task_id, []).append(message_id)
    linked: list[Link] = []
    for task_id, message_ids in by_task.items():
        statement = (
            update(_message)
            .where(
                _message.project_id == project_id,
                _message.session_id == session_id,
                _message.message_id == _any(message_ids),
            )
            .values(task_id=task_id)
            .returning(_message.sequence)
        )
        found = (await tx.execute(statement)).scalars()
        linked += [Link(sequence=sequence, task_id=task_id) for sequence in found]
    return sorted(linked, key=lambda one: one.sequence)


async def messages_of(tx: Tx, project_id: ProjectId, task_id: TaskId) -> Sequence[TaskMessage]:
    """List the messages of a task, oldest first."""
    statement = (
        select(_message.message_id, _message.sequence)
        .where(_message.project_id == project_id, _message.task_id == task_id)
        .order_by(_message.sequence)
    )
    return [_task_message(row) for row in await tx.execute(statement)]


async def messages_after(
    tx: Tx, project_id: ProjectId, session_id: SessionId, *, sequence: int, limit: int
) -> Sequence[TaskMessage]:
    """List what was said right after a message."""
    statement = (
        select(_message.message_id, _message.sequence)
        .where(
            _message.project_id == project_id,
            _message.session_id == session_id,
            _message.sequence > sequence,
        )
        .order_by(_message.sequence)
        .limit(limit)
    )
    return [_task_message(row) for row in await tx.execute(statement)]


async def earlier(tx: Tx, task: Task, *, limit: int) -> Sequence[Task]:
    """List the tasks right before one, oldest first."""
    statement = (
        select(_row)
        .where(
            _row.project_id == task.project_id,
            _row.session_id == task.session_id,
            _row.order > PLANNING,
            _row.order < task.order,
        )
        .order_by(_row.order.desc())
        .limit(limit)
    )
    return [_task(row) for row in await tx.execute(statement)][::-1]


async def count_learning(tx: Tx, project_id: ProjectId, session_id: SessionId) -> Learning:
    """Count successful tasks by what the space has made of them."""
    is_digested, is_given_up = _row.space_digested, _row.announce_at.is_(None)
    statement = select(
        func.count().filter(is_digested),
        func.count().filter(~is_digested),
        func.count().filter(~is_digested, is_given_up),
    ).where(
        _row.project_id == project_id,
        _row.session_id == session_id,
        _row.order > PLANNING,
        _row.status == TaskStatus.SUCCESS,
    )
    digested, waiting, failed = (await tx.execute(statement)).one()
    return Learning(digested=digested, waiting=waiting, failed=failed)


async def completed_of_session(
    tx: Tx, project_id: ProjectId, session_id: SessionId
) -> Sequence[Task]:
    """List the tasks of a session that are successful now."""
    statement = (
        select(_row)
        .where(
            _row.project_id == project_id,
            _row.session_id == session_id,
            _row.order > PLANNING,
            _row.status == TaskStatus.SUCCESS,
        )
        .order_by(_row.order)
    )
    return [_task(row) for row in await tx.execute(statement)]


async def due_for_announcement(
    tx: Tx, *, at: datetime, limit: int
) -> Sequence[tuple[Task, SpaceId, int]]:
    """List completed tasks that nobody has learned from yet, with how often they were announced.

    It crosses projects, as every sweep does.
    """
    statement = (
        select(_row, ObservationRow.space_id, _row.announcements)
        .join(
            ObservationRow,
            (ObservationRow.project_id == _row.project_id)
            & (ObservationRow.session_id == _row.session_id),
        )
        .where(_row.announce_at <= at, ObservationRow.space_id.is_not(None))
        .order_by(_row.announce_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=_row)
    )
    return [
        (_task(row), SpaceId(row.space_id), row.announcements)
        for row in await tx.execute(statement)
    ]


async def announce_again(
    tx: Tx, project_id: ProjectId, task_ids: Sequence[TaskId], *, at: datetime, count: int
) -> None:
    """Note when completions are announced again."""
    statement = update(_row).where(_row.project_id == project_id, _row.id.in_(task_ids))
    await tx.execute(statement.values(announce_at=at, announcements=count))


async def stop_announcing(tx: Tx, project_id: ProjectId, task_ids: Sequence[TaskId]) -> None:
    """Note that completions need not be announced any more."""
    statement = update(_row).where(_row.project_id == project_id, _row.id.in_(task_ids))
    await tx.execute(statement.values(announce_at=None))


def _any(ids: Sequence[UUID]) -> Any:
    """Match any of them, in one parameter: a session may have more than a statement takes."""
    return any_(literal(list(ids), ARRAY(Uuid)))


def _values(task: Task) -> dict[str, Any]:
    return {
        "project_id": task.project_id,
        "id": task.id,
        "session_id": task.session_id,
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
        "created_at": task.created_at,
        "updated_at": task.updated_at,
        "announcements": 0,
    }


def _task(row: Any) -> Task:
    return Task(
        project_id=ProjectId(row.project_id),
        session_id=SessionId(row.session_id),
        state=TaskState(
            id=TaskId(row.id),
            order=row.order,
            status=TaskStatus(row.status),
            description=row.description,
            progresses=tuple(row.progresses),
            preferences=tuple(row.preferences),
            settled=row.settled,
            outcome_reason=row.outcome_reason,
        ),
        version=row.version,
        completions=row.completions,
        space_digested=row.space_digested,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _task_message(row: Any) -> TaskMessage:
    return TaskMessage(message_id=MessageId(UUID(str(row.message_id))), sequence=row.sequence)
