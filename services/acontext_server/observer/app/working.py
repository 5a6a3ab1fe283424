"""What runs beside the RPCs: workers that observe, and the sweep that needs no nudge."""

import asyncio
import random
from datetime import timedelta

import structlog

from acontext_server.kit.errors import ServiceError
from acontext_server.kit.telemetry.traces import traced
from acontext_server.observer.app.announcing import Announcing
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.app.observing import Observing
from acontext_server.observer.domain import Lease, Report
from acontext_server.observer.peers import Sessions, Unobserved
from acontext_server.observer.store import changes, observations, reports
from acontext_server.observer.store.reports import Untold

log = structlog.get_logger()

LOOK_AGAIN = 1.0
"""Seconds between two looks for sessions that have become due, should no bell tell of them."""
OVERDUE = timedelta(seconds=1)
"""So much longer than the idle time a session may wait before the sweep looks after it."""
UNTOLD = timedelta(seconds=2)
"""Reports that wait for longer are taken up again."""
REMEMBER_REMOVALS = timedelta(days=1)


class Workers:
    """Several sessions at a time, each by one worker."""

    def __init__(self, means: Means, observing: Observing, *, count: int) -> None:
        self._means = means
        self._observing = observing
        self._free = asyncio.Semaphore(count)

    async def run(self) -> None:
        """Observe what is due for as long as the caller lives."""
        async with asyncio.TaskGroup() as working:
            while True:
                await self._free.acquire()
                with self._means.bell.listening(DUE) as ring:
                    lease = await self._lease()
                    if lease is None:
                        self._free.release()
                        await ring(LOOK_AGAIN * random.uniform(0.8, 1.2))
                        continue
                working.create_task(self._observe(lease))

    async def _lease(self) -> Lease | None:
        try:
            return await self._observing.lease()
        except ServiceError as error:
            log.warning("workers_wait", error=repr(error))
            return None

    async def _observe(self, lease: Lease) -> None:
        about = {"project_id": str(lease.project_id), "session_id": str(lease.session_id)}
        try:
            with traced("observe", lease.trace, attributes=about):
                await self._observing.observe(lease)
        except Exception:
            # The lease runs out and somebody tries again; other sessions must not wait for it.
            log.exception("worker_broke", session_id=str(lease.session_id))
        finally:
            self._free.release()


class Sweep:
    """Looks after what no event told of, again and again."""

    def __init__(
        self,
        means: Means,
        sessions: Sessions,
        announcing: Announcing,
        *,
        idle: timedelta,
        every: float,
    ) -> None:
        self._means = means
        self._sessions = sessions
        self._announcing = announcing
        self._patience = idle + OVERDUE
        self._every = every

    async def run(self) -> None:
        """Sweep for as long as the caller lives."""
        while True:
            await asyncio.sleep(self._every * random.uniform(0.8, 1.2))
            try:
                await self.sweep()
            except ServiceError as error:
                log.warning("sweep_waits", error=repr(error))

    async def sweep(self) -> None:
        """Make everything due that waits without a time, and announce again what nobody learned."""
        await self._take_up_reports()
        await self._announcing.tell_again()
        async with self._means.database.transaction() as tx:
            before = self._means.now() - REMEMBER_REMOVALS
            await changes.forget_removals(tx, before=before)
        async for waiting in self._sessions.unobserved(
            older_than=self._means.now() - self._patience
        ):
            await self._take_up(waiting)
        self._means.bell.ring(DUE)

    async def _take_up(self, waiting: Unobserved) -> None:
        project_id, session_id = waiting.project_id, waiting.session_id
        if not (await self._sessions.pace(project_id)).is_on:
            return
        now = self._means.now()
        async with self._means.database.transaction() as tx:
            standing = await observations.standing(tx, project_id, session_id)
            if standing.cursor < waiting.last_sequence:
                await observations.catch_up(
                    tx, project_id, session_id, sequence=waiting.last_sequence, at=now
                )
            elif not await reports.has_untold(tx, project_id, session_id):
                again = Report(observed_through=standing.cursor)
                untold = Untold(self._means.new_id(), project_id, session_id, again)
                await reports.add(tx, untold, at=now)

    async def _take_up_reports(self) -> None:
        now = self._means.now()
        async with self._means.database.transaction() as tx:
            waiting = await reports.sessions_to_tell(tx, before=now - UNTOLD, limit=500)
            for project_id, session_id in waiting:
                await observations.make_due(tx, project_id, session_id, at=now)
