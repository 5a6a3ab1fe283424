"""Nudges: what has been noted once one returns."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
import uvloop

from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app import nudging
from acontext_server.observer.app.means import Means
from acontext_server.observer.app.nudging import Nudging
from acontext_server.observer.domain import SessionId
from acontext_server.observer.peers import Pace, Sessions
from acontext_server.observer.store.observations import End, LogKey

PROJECT = ProjectId(UUID(int=1))
PACE = Pace(turns=4, idle=timedelta(seconds=1), is_on=True)

Run = Callable[[Coroutine[Any, Any, None]], None]


class Noting(Nudging):
    """Notes in memory, and only while it is let."""

    def __init__(self) -> None:
        async def pace(project_id: ProjectId) -> Pace:
            return PACE

        means = cast("Means", SimpleNamespace(now=lambda: datetime.now(UTC)))
        super().__init__(means, cast("Sessions", SimpleNamespace(pace=pace)))
        self.noted: dict[SessionId, list[int]] = {}
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    async def _note(self, told: Mapping[LogKey, tuple[Pace, End]]) -> None:
        self.began.set()
        await self.may_end.wait()
        for (_, session_id), (_, end) in told.items():
            self.noted.setdefault(session_id, []).append(end.sequence)

    async def tell(self, session_id: SessionId, sequence: int) -> bool:
        """Nudge, and say whether that was noted when it returned."""
        await self.nudge(PROJECT, session_id, sequence)
        return max(self.noted[session_id]) >= sequence


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudging, "REST_SECONDS", 0.05)
    monkeypatch.setattr(nudging, "TURN_SECONDS", 0.002)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run in either loop: uvloop's timers may end a part of a millisecond early."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


def test_a_nudge_is_noted_when_it_returns(run: Run) -> None:
    async def told() -> None:
        noting = Noting()
        logs = [SessionId(UUID(int=number)) for number in range(20)]
        for sequence in range(1, 9):
            noted = await asyncio.gather(*(noting.tell(one, sequence) for one in logs))
            assert all(noted)
        assert [noting.noted[one] for one in logs] == [[*range(1, 9)]] * len(logs)

    run(told())


def test_what_is_told_while_its_log_is_being_noted_is_noted_next(run: Run) -> None:
    async def told() -> None:
        noting, log = Noting(), SessionId(UUID(int=5))
        noting.may_end.clear()
        first = asyncio.create_task(noting.tell(log, 1))
        await noting.began.wait()
        second = asyncio.create_task(noting.tell(log, 2))
        await asyncio.sleep(0.01)
        noting.may_end.set()
        assert all(await asyncio.gather(first, second))
        assert noting.noted[log] == [1, 2]

    run(told())
