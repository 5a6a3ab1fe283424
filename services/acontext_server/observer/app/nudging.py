"""Nudges: what session tells of logs that grow, many of them in one transaction."""

import asyncio
import random
import time
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from acontext_server.kit.ids import ProjectId
from acontext_server.kit.telemetry.traces import carried
from acontext_server.observer.app.means import DUE, Means
from acontext_server.observer.domain import SessionId
from acontext_server.observer.peers import Pace, Sessions
from acontext_server.observer.store import observations
from acontext_server.observer.store.observations import End, LogKey

REST_SECONDS = 2.0
"""How long a log that was noted is left alone, give or take a quarter. What observing costs beside
the messages is paid for every round, so a log that grows by many messages a second is better
observed in fewer; and sessions that began together are not due together for ever."""
TURN_SECONDS = 0.25
"""How long nudges of all logs are gathered; the first after a pause is noted at once."""


class _Rest(NamedTuple):
    """A log that was noted up to a sequence, and until when by the monotonic clock it rests."""

    until: float
    sequence: int


class Nudging:
    """Notes how far logs have grown, and so when their sessions are due."""

    def __init__(self, means: Means, sessions: Sessions) -> None:
        self._means = means
        self._sessions = sessions
        self._told: dict[LogKey, tuple[Pace, End]] = {}
        self._resting: dict[LogKey, _Rest] = {}
        self._turn = asyncio.Lock()
        self._next_turn = 0.0

    async def nudge(self, project_id: ProjectId, session_id: SessionId, sequence: int) -> None:
        """Take note that a session's log reached a sequence; it is noted when this returns."""
        pace = await self._sessions.pace(project_id)
        if not pace.is_on:
            return
        key = (project_id, session_id)
        self._tell(key, pace, End(sequence, self._means.now(), carried()))
        while not self._has_noted(key, sequence):
            await asyncio.sleep(self._rest_of(key))
            async with self._turn:
                # Else who had the turn before has noted this one too, or the sleep ended early.
                if not self._has_noted(key, sequence) and not self._rest_of(key):
                    await self._note_all()

    def _has_noted(self, key: LogKey, sequence: int) -> bool:
        """What is told while a log is being noted may be left for the next time."""
        noted = self._resting.get(key)
        return key not in self._told or bool(noted and noted.sequence >= sequence)

    def _rest_of(self, key: LogKey) -> float:
        """Seconds for which a log is still left alone."""
        noted = self._resting.get(key)
        return max(noted.until - time.monotonic(), 0.0) if noted else 0.0

    def _tell(self, key: LogKey, pace: Pace, end: End) -> None:
        if key not in self._told or self._told[key][1].sequence < end.sequence:
            self._told[key] = (pace, end)

    async def _note_all(self) -> None:
        await asyncio.sleep(self._next_turn - time.monotonic())
        now = time.monotonic()
        self._resting = {key: rest for key, rest in self._resting.items() if rest.until > now}
        told = {key: one for key, one in self._told.items() if key not in self._resting}
        for key in told:
            del self._told[key]
        try:
            await self._note(told)
        except BaseException:
            # Those who wait for their turn count on what they have told.
            for key, (pace, end) in told.items():
                self._tell(key, pace, end)
            raise
        now = time.monotonic()
        self._next_turn = now + TURN_SECONDS
        for key, (_, end) in told.items():
            until = now + REST_SECONDS * random.uniform(0.75, 1.25)
            self._resting[key] = _Rest(until, end.sequence)

    async def _note(self, told: Mapping[LogKey, tuple[Pace, End]]) -> None:
        by_pace: dict[Pace, dict[LogKey, End]] = {}
        for key, (pace, end) in told.items():
            by_pace.setdefault(pace, {})[key] = end
        async with self._means.database.transaction() as tx:
            for pace, ends in by_pace.items():
                await observations.tell_of(tx, ends, idle=pace.idle, turns=pace.turns)
        ring, later = partial(self._means.bell.ring, DUE), asyncio.get_running_loop().call_later
        ring()  # so many turns may wait that it is due now, and else it is once it was idle
        for pace in by_pace:
            later(pace.idle.total_seconds(), ring)
