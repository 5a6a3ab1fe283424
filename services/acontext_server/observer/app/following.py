"""What others' events mean here: connections, lessons learned, deletions."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from acontext_server.kit.database import Tx, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app.announcing import Announcing
from acontext_server.observer.app.means import Means
from acontext_server.observer.domain import (
    PLANNING,
    ProjectForgotten,
    SessionId,
    SpaceId,
    TaskId,
    UserForgotten,
    UserId,
)
from acontext_server.observer.store import changes, observations, spending, tasks

Purge = Callable[[ProjectId, UUID | str], Awaitable[None]]
"""Removes what our stream still holds of an entity of a project."""


class Following:
    """Follows what session and space announce; every verb may be repeated."""

    def __init__(self, means: Means, announcing: Announcing, purge: Purge) -> None:
        self._means = means
        self._announcing = announcing
        self._purge = purge

    async def connect_session(
        self, project_id: ProjectId, session_id: SessionId, space_id: SpaceId
    ) -> None:
        """Let a session's space learn what was completed already."""
        async with self._means.database.transaction() as tx:
            now = self._means.now()
            if not await observations.connect(tx, project_id, session_id, space_id, at=now):
                return
            completed = await tasks.completed_of_session(tx, project_id, session_id)
            fresh = [replace(task, space_digested=False) for task in completed]
            await tasks.put(tx, fresh)
            await self._announcing.tell_completions(tx, space_id, changed=(), completed=fresh)

    async def learn_task(
        self, project_id: ProjectId, task_id: TaskId, *, completion: int, space_id: SpaceId
    ) -> None:
        """Note that the space has dealt with a completion; an older one changes nothing."""
        async with self._means.database.transaction() as tx:
            task = await tasks.find(tx, project_id, task_id)
            if task is None:
                return
            space_now = await observations.lock(tx, project_id, task.session_id)
            task = await tasks.find(tx, project_id, task_id)
            if task is None or task.space_digested or space_now != space_id:
                return
            if task.completions != completion:
                return
            now = self._means.now()
            learned = replace(task, space_digested=True, version=task.version + 1, updated_at=now)
            await tasks.put(tx, [learned])
            await tasks.stop_announcing(tx, project_id, [task_id])
            await changes.append(tx, project_id, [(learned, False)], at=now)

    async def give_up_task(
        self, project_id: ProjectId, task_id: TaskId, *, completion: int
    ) -> None:
        """Note that the space could not learn a completion, and waits to be asked for it again."""
        async with self._means.database.transaction() as tx:
            task = await tasks.find(tx, project_id, task_id)
            if task is not None and task.completions == completion:
                await tasks.stop_announcing(tx, project_id, [task_id])

    async def delete_session(self, project_id: ProjectId, session_id: SessionId) -> None:
        """Remove all that is known of a session, and tell watchers that its tasks are gone."""
        async with self._means.database.transaction() as tx:
            await self._forget_session(tx, project_id, session_id)
        await self._purge(project_id, session_id)

    async def delete_user(self, project_id: ProjectId, user_id: UserId) -> None:
        """Remove all that is known of a user's sessions, and confirm it."""
        async with self._means.database.transaction() as tx:
            sessions = await observations.sessions_of_user(tx, project_id, user_id)
            for session_id in sessions:
                await self._forget_session(tx, project_id, session_id)
        for session_id in sessions:
            await self._purge(project_id, session_id)
        async with self._means.database.transaction() as tx:
            await self._means.announce(tx, [UserForgotten(project_id=project_id, user_id=user_id)])

    async def delete_project(self, project_id: ProjectId) -> None:
        """Remove all that is known of a project, and confirm it."""
        async with self._means.database.transaction() as tx:
            await patient(tx)
            await observations.forget_project(tx, project_id)
            await changes.forget_project(tx, project_id)
            await spending.forget_project(tx, project_id)
        await self._purge(project_id, "*")
        async with self._means.database.transaction() as tx:
            await self._means.announce(tx, [ProjectForgotten(project_id=project_id)])

    async def _forget_session(self, tx: Tx, project_id: ProjectId, session_id: SessionId) -> None:
        gone = [
            replace(task, state=replace(task.state, description="", progresses=(), preferences=()))
            for task in await tasks.all_of_session(tx, project_id, session_id)
            if task.order > PLANNING
        ]
        await observations.forget_session(tx, project_id, session_id)
        await changes.forget_session(tx, project_id, session_id)
        await changes.append(tx, project_id, [(task, True) for task in gone], at=self._means.now())
