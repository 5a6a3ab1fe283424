"""What changed tasks mean for others: watchers, listeners, and the space that learns."""

from collections.abc import Sequence
from datetime import timedelta

from acontext_server.kit.database import Tx, after_commit
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app.means import Means
from acontext_server.observer.domain import (
    PLANNING,
    SessionId,
    SpaceId,
    Task,
    TaskCompleted,
    TasksChanged,
    TaskStatus,
)
from acontext_server.observer.store import changes, tasks

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
BATCH = 100


class Announcing:
    """Tells of tasks, and of completed ones until somebody has learned from them."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def tell_changes(
        self,
        tx: Tx,
        project_id: ProjectId,
        session_id: SessionId,
        *,
        changed: Sequence[Task],
        removed: Sequence[Task] = (),
    ) -> None:
        """Write what changed to the log of the project; the last step of a transaction."""
        visible = [task for task in changed if task.order > PLANNING]
        steps = [*((task, True) for task in removed), *((task, False) for task in visible)]
        if not steps:
            return
        ids = tuple(task.id for task, _ in steps)
        event = TasksChanged(project_id=project_id, session_id=session_id, task_ids=ids)
        await self._means.announce(tx, [event])
        await changes.append(tx, project_id, steps, at=self._means.now())
        after_commit(tx, lambda: self._means.bell.ring(changes_of(project_id)))

    async def tell_completions(
        self,
        tx: Tx,
        space_id: SpaceId | None,
        *,
        changed: Sequence[Task],
        completed: Sequence[Task],
    ) -> None:
        """Announce tasks that became success, and stop announcing those that are not any more."""
        if not changed and not completed:
            return
        project_id = (changed or completed)[0].project_id
        undone = [task.id for task in changed if task.status is not TaskStatus.SUCCESS]
        await tasks.stop_announcing(tx, project_id, undone)
        if space_id is None or not completed:
            return
        await self._means.announce(tx, [_completed(task, space_id) for task in completed])
        again = self._means.now() + FIRST_WAIT
        ids = [task.id for task in completed]
        await tasks.announce_again(tx, project_id, ids, at=again, count=1)

    async def tell_again(self) -> None:
        """Announce completions once more that nobody has learned from, at growing intervals."""
        now = self._means.now()
        async with self._means.database.transaction() as tx:
            due = await tasks.due_for_announcement(tx, at=now, limit=BATCH)
            await self._means.announce(tx, [_completed(task, space) for task, space, _ in due])
            for task, _, count in due:
                again = now + min(FIRST_WAIT * 2**count, LONGEST_WAIT)
                ids = [task.id]
                await tasks.announce_again(tx, task.project_id, ids, at=again, count=count + 1)


def changes_of(project_id: ProjectId) -> object:
    """Name the bell of a project's changes."""
    return "changes", project_id


def _completed(task: Task, space_id: SpaceId) -> TaskCompleted:
    return TaskCompleted(
        project_id=task.project_id,
        session_id=task.session_id,
        task_id=task.id,
        completion=task.completions,
        space_id=space_id,
    )
