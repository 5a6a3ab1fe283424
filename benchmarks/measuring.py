"""The figures: each is measured in rounds, by turns with its floor."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import psycopg
from grpc import aio

from acontext_server.kit.config import Settings
from acontext_server.space.embedder import open_embedder
from benchmarks import load
from benchmarks.calls import MESSAGE, PIECE, Sessions
from benchmarks.figures import Figure, Memory, Target
from benchmarks.load import CONNECTIONS, Load
from benchmarks.search import BareSearch, Skills, queries, search_by_turns
from benchmarks.system import Floor, System

LONG_SESSION = 10_000
LATEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int
    seconds: int
    """Of one load of JSON requests. A log that grows is observed every two seconds: a shorter round
    has all of that in it or none."""
    unary: int
    """Messages of one round of single calls."""
    streamed: int
    """Messages of one stream."""
    searches: int


QUICK = Effort(rounds=5, seconds=2, unary=600, streamed=2_000, searches=60)
THOROUGH = Effort(rounds=15, seconds=3, unary=2_000, streamed=10_000, searches=300)


class NotStored(Exception):
    """Messages were acknowledged that are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is measured, beside its floor, and how thoroughly."""

    system: System
    floor: Floor
    channel: aio.Channel
    effort: Effort

    @property
    def sessions(self) -> Sessions:
        """The project's sessions."""
        return Sessions(self.channel)

    async def read_latest(self) -> Figure:
        """Read the newest messages of a long session."""
        [session_id] = await self.sessions.create(1, observed=False)
        await self.sessions.stream(session_id, LONG_SESSION)
        path = f"/session/{session_id}/messages?limit={LATEST}&time_desc=true"
        measured, floor = await self._by_turns(Load(method="GET", paths=[path]))
        return Figure(
            name=f"latest {LATEST} of {LONG_SESSION:,} messages read, JSON",
            unit="/s",
            measured=measured,
            floor_name="empty servicer",
            floor=floor,
            target=Target(ratio=0.12),
        )

    async def store(self) -> Figure:
        """Store messages as agents do, while they are observed."""
        session_ids = await self.sessions.create(CONNECTIONS, observed=True)
        paths = [f"/session/{session_id}/messages" for session_id in session_ids]
        body = json.dumps({"format": "openai", "blob": MESSAGE})
        measured, floor = await self._by_turns(Load(method="POST", paths=paths, body=body))
        lengths = [await self.sessions.last_sequence(one) for one in session_ids]
        if sum(lengths) < sum(measured) * self.effort.seconds * 0.99:
            raise NotStored(f"{sum(lengths)} messages are stored, at {measured} a second")
        return Figure(
            name=f"messages of 400 bytes stored, JSON, {CONNECTIONS} connections",
            unit="/s",
            measured=measured,
            floor_name="empty servicer",
            floor=floor,
            target=Target(ratio=0.25),
        )

    async def _by_turns(self, asked: Load) -> tuple[list[float], list[float]]:
        measured, floor = [], []
        for _ in range(self.effort.rounds):
            with self.system.asleep():
                floor.append(await self._rate(self.floor.address, asked))
            measured.append(await self._rate(self.system.address, asked))
        return measured, floor

    async def _rate(self, address: str, asked: Load) -> float:
        answered = await load.send(f"http://{address}", asked, seconds=self.effort.seconds)
        return answered.rate

    async def stream(self) -> Figure:
        """Store messages in one stream, and as many callers whose messages share commits."""
        return await self._stream(
            f"messages of 400 bytes stored, one gRPC stream, {PIECE} a piece",
            at_once=PIECE,
            target=Target(ratio=6.0),
        )

    async def stream_singly(self) -> Figure:
        """Store them in one stream in which each is a piece of its own."""
        return await self._stream("the same, one a piece", at_once=1)

    async def _stream(self, name: str, *, at_once: int, target: Target | None = None) -> Figure:
        session_ids = await self.sessions.create(CONNECTIONS, observed=False)
        measured, floor = [], []
        for _ in range(self.effort.rounds):
            floor.append(
                await self.sessions.store(session_ids, self.effort.unary, callers=CONNECTIONS)
            )
            measured.append(
                await self.sessions.stream(session_ids[0], self.effort.streamed, at_once=at_once)
            )
        return Figure(
            name=name,
            unit="/s",
            measured=measured,
            floor_name=f"unary gRPC, {CONNECTIONS} callers",
            floor=floor,
            target=target,
        )

    async def search(self) -> Figure:
        """Search skills, one query after the other."""
        skills = Skills(self.channel)
        place = await skills.write()
        url = self.system.database_url
        async with (
            open_embedder(Settings(embedder_url="local:")) as embedder,
            await psycopg.AsyncConnection.connect(url, autocommit=True) as database,
        ):
            bare = BareSearch(embedder, database)
            await bare.until_indexed(place)
            await self.system.until_quiet()
            asked = queries(self.effort.searches)
            whole, floor = await search_by_turns(skills, bare, place, asked)
        return Figure(
            name="fast search in 200 skills, p50",
            unit="ms",
            measured=whole,
            floor_name="embedding and raw pgvector",
            floor=floor,
            target=Target(ratio=2.0, at_most=True),
        )

    def memory(self, idle: dict[str, int]) -> list[Memory]:
        """Compare what each program holds with what it held at first."""
        held = self.held()
        counts = {name: len(processes) for name, processes in self.system.programs().items()}
        return [
            Memory(program=name, processes=counts.get(name, 1), idle=idle[name], loaded=held[name])
            for name in held
        ]

    def held(self) -> dict[str, int]:
        """Say what each program holds, and the floor's servicer."""
        programs = self.system.programs()
        held = {name: _resident(processes) for name, processes in programs.items()}
        return {**held, "floor: empty servicer": _resident([self.floor.servicer])}


def _resident(processes: Sequence[psutil.Process]) -> int:
    if len(processes) == 1:
        return int(processes[0].memory_info().rss)
    # PostgreSQL's processes share pages; each is counted once.
    return sum(process.memory_full_info().pss for process in processes)
