"""Flushing: observe a session now, and say truthfully when that is done."""

import time

from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app.budget import Budget
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.domain import FlushAnswer, SessionId, Standing
from acontext_server.observer.peers import Sessions
from acontext_server.observer.store import observations, reports

PATIENCE = 28.0
"""Seconds that a flush waits; clients give up at 30 to 32."""
LOOK_AGAIN = 0.3
"""Seconds before the first look at what another process may have done; then ever longer ones."""
LONGEST_LOOK = 4.0
"""A bell tells of what this process has done, so that a crowd of flushes may look this rarely."""

DONE = FlushAnswer(status=200)


class Flushing:
    """Makes sessions due and waits for them."""

    def __init__(self, means: Means, sessions: Sessions, budget: Budget) -> None:
        self._means = means
        self._sessions = sessions
        self._budget = budget

    async def flush_session(
        self, project_id: ProjectId, session_id: SessionId, *, seconds: float = PATIENCE
    ) -> FlushAnswer:
        """Observe everything stored before the call, for as long as the caller can wait."""
        deadline = time.monotonic() + min(seconds, PATIENCE)
        log_now = await self._sessions.where(project_id, session_id)
        if not log_now.is_tracked or not (await self._sessions.pace(project_id)).is_on:
            return DONE
        end = log_now.last_sequence
        before = await self._standing(project_id, session_id)
        if end > before.told_through:
            await self._make_due(project_id, session_id, end)
        look_again = LOOK_AGAIN
        while True:
            with self._means.bell.listening(session_id) as ring:
                answer = await self._answer(project_id, session_id, end, since=before.cursor)
                answer = answer or await self._paused(project_id, session_id, end)
                if answer is not None:
                    return answer
                left = deadline - time.monotonic()
                if left <= 0:
                    return await self._too_slow(project_id, session_id, end)
                await ring(min(left, look_again))
            look_again = min(1.5 * look_again, LONGEST_LOOK)

    async def _make_due(self, project_id: ProjectId, session_id: SessionId, end: int) -> None:
        now = self._means.now()
        async with self._means.database.transaction() as tx:
            await observations.catch_up(tx, project_id, session_id, sequence=end, at=now)
            await observations.make_due(tx, project_id, session_id, at=now)
        self._means.bell.ring(DUE)

    async def _answer(
        self, project_id: ProjectId, session_id: SessionId, end: int, *, since: int
    ) -> FlushAnswer | None:
        async with self._means.database.transaction() as tx:
            standing = await observations.standing(tx, project_id, session_id)
            if standing.told_through < end:
                return None
            failed, reason = await reports.count_failed(
                tx, project_id, session_id, after=since, through=end
            )
        if not failed:
            return DONE
        errmsg = f"{failed} messages could not be observed: {reason}"
        return FlushAnswer(status=500, errmsg=errmsg, remaining=failed)

    async def _paused(
        self, project_id: ProjectId, session_id: SessionId, end: int
    ) -> FlushAnswer | None:
        """Say at once that models pause, rather than wait for nothing."""
        why = await self._budget.why_paused(project_id)
        if not why:
            return None
        standing = await self._standing(project_id, session_id)
        left = end - min(standing.cursor, end)
        if not left:
            return None
        return FlushAnswer(status=429, errmsg=f"{left} messages wait: {why}", remaining=left)

    async def _too_slow(
        self, project_id: ProjectId, session_id: SessionId, end: int
    ) -> FlushAnswer:
        standing = await self._standing(project_id, session_id)
        left = end - min(standing.told_through, end)
        why = f"; the last try failed: {standing.last_error}" if standing.last_error else ""
        errmsg = f"not done in time, {left} messages are left and go on being observed{why}"
        return FlushAnswer(status=504, errmsg=errmsg, remaining=left)

    async def _standing(self, project_id: ProjectId, session_id: SessionId) -> Standing:
        async with self._means.database.transaction() as tx:
            return await observations.standing(tx, project_id, session_id)
