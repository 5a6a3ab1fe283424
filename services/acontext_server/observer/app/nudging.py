"""Nudges: what session tells of logs that grow, many of them in one transaction."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from acontext_server.kit.ids import ProjectId
from acontext_server.kit.telemetry.traces import carried
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.domain import SessionId
from acontext_server.observer.peers import Pace, Sessions
from acontext_server.observer.store import observations
from acontext_server.observer.store.observations import End, LogKey

GATHER_SECONDS = 2.0
"""How long nudges are gathered after some were noted. What observing costs beside the messages is
paid for every round, so a log that grows by many messages a second is better told of in fewer; the
first nudge after a pause is noted at once."""


class Nudging:
    """Notes how far logs have grown, and so when their sessions are due."""

    def __init__(self, means: Means, sessions: Sessions) -> None:
        self._means = means
        self._sessions = sessions
        self._told: dict[Pace, dict[LogKey, End]] = {}
        self._turn = asyncio.Lock()
        self._next_at = 0.0

    async def nudge(self, project_id: ProjectId, session_id: SessionId, sequence: int) -> None:
        """Take note that a session's log reached a sequence; it is noted when this returns."""
        pace = await self._sessions.pace(project_id)
        if not pace.is_on:
            return
        self._tell(pace, (project_id, session_id), End(sequence, self._means.now(), carried()))
        async with self._turn:
            if self._told:  # else who had the turn before has noted this one too
                await self._note_all()

    def _tell(self, pace: Pace, key: LogKey, end: End) -> None:
        ends = self._told.setdefault(pace, {})
        if key not in ends or ends[key].sequence < end.sequence:
            ends[key] = end

    async def _note_all(self) -> None:
        await asyncio.sleep(self._next_at - time.monotonic())
        told, self._told = self._told, {}
        try:
            await self._note(told)
        except BaseException:
            # Those who wait for their turn count on what they have told.
            for pace, ends in told.items():
                for key, end in ends.items():
                    self._tell(pace, key, end)
            raise
        self._next_at = time.monotonic() + GATHER_SECONDS

    async def _note(self, told: Mapping[Pace, Mapping[LogKey, End]]) -> None:
        async with self._means.database.transaction() as tx:
            for pace, ends in told.items():
                await observations.tell_of(tx, ends, idle=pace.idle, turns=pace.turns)
        ring, later = partial(self._means.bell.ring, DUE), asyncio.get_running_loop().call_later
        ring()  # so many turns may wait that it is due now, and else it is once it was idle
        for pace in told:
            later(pace.idle.total_seconds(), ring)
