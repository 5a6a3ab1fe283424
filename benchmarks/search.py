"""A space full of skills, how long a fast search in it takes, and what it cannot do without."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import LiteralString

import psycopg
from google.protobuf.struct_pb2 import Struct
from grpc import aio

from acontext.space import v1 as pb
from acontext_server.space.embedder import Embedder
from benchmarks.system import AS_PROJECT

SKILLS = 200

_INDEX_SECONDS = 60.0
_VERBS = ("deploying", "reviewing", "repairing", "documenting", "comparing", "scheduling")
_THINGS = ("a database", "an invoice", "a web page", "a flight", "a test suite", "a newsletter")
_FOR = ("a customer", "the finance team", "a hospital", "an online shop", "a school", "a museum")
_ASKING = ("Could you help me with", "I am stuck, I need help", "What is the best way of")

_COUNT: LiteralString = "select count(*) from vectors.vector where space_id = %s"
_NEAREST: LiteralString = """
    select id, embedding <=> %s::vector as distance from vectors.vector
    where project_id = %s and space_id = %s order by distance limit 10
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the skills are."""

    project_id: str
    space_id: str


def queries(count: int) -> list[str]:
    """Write questions, each different from all others, of a dozen words."""
    asked = product(_FOR, _VERBS, _THINGS, _ASKING)
    return [f"{ask} {verb} {thing} for {whom}?" for whom, verb, thing, ask in islice(asked, count)]


def _skills() -> Iterator[tuple[str, Struct]]:
    for number, (verb, thing, whom) in enumerate(product(_VERBS, _THINGS, _FOR)):
        props = Struct()
        step = {"tool_name": f"tool_{number % 20}", "action": f"look at {thing}, then report"}
        props.update({"preferences": "in short sentences", "tool_sops": [step]})
        yield f"{verb} {thing} for {whom}", props


class Skills:
    """A project's skills, as a typed client sees them."""

    def __init__(self, channel: aio.Channel) -> None:
        self._spaces = pb.SpaceServiceStub(channel)
        self._skills = pb.SkillServiceStub(channel)

    async def write(self) -> Place:
        """Make a space and write skills into it by hand."""
        made = await self._spaces.CreateSpace(pb.CreateSpaceRequest(), metadata=AS_PROJECT)
        place = Place(project_id=made.space.project_id, space_id=made.space.id)
        page = await self._create(place, type="page", title="What we do")
        for title, props in islice(_skills(), SKILLS):
            await self._create(place, type="sop", title=title, props=props, parent_id=page)
        return place

    async def _create(self, place: Place, **values: object) -> str:
        request = pb.CreateBlockRequest(space_id=place.space_id, **values)  # type: ignore[arg-type]
        return (await self._spaces.CreateBlock(request, metadata=AS_PROJECT)).id

    async def search(self, place: Place, query: str) -> float:
        """Search once, and give how many milliseconds it took."""
        request = pb.SearchSkillsRequest(space_id=place.space_id, query=query)
        began = time.perf_counter()
        answer = await self._skills.SearchSkills(request, metadata=AS_PROJECT)
        milliseconds = (time.perf_counter() - began) * 1e3
        assert answer.cited_blocks, query
        return milliseconds


class BareSearch:
    """What no search can do without: embedding the query, and one exact query of pgvector."""

    def __init__(self, embedder: Embedder, database: psycopg.AsyncConnection) -> None:
        self._embedder = embedder
        self._database = database

    async def until_indexed(self, place: Place) -> None:
        """Wait until every skill has its vector."""
        async with asyncio.timeout(_INDEX_SECONDS):
            while True:
                found = await self._database.execute(_COUNT, [place.space_id])
                row = await found.fetchone()
                if row and row[0] >= SKILLS:
                    return
                await asyncio.sleep(0.1)

    async def search(self, place: Place, query: str) -> float:
        """Search once, and give how many milliseconds it took."""
        began = time.perf_counter()
        [vector] = await self._embedder.embed([query])
        asked = [str(vector), place.project_id, place.space_id]
        found = await (await self._database.execute(_NEAREST, asked)).fetchall()
        milliseconds = (time.perf_counter() - began) * 1e3
        assert found, query
        return milliseconds


async def search_by_turns(
    skills: Skills, bare: BareSearch, place: Place, asked: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Ask each query of both, one after the other, so that both meet the same machine."""
    whole, floor = [], []
    for query in asked:
        whole.append(await skills.search(place, query))
        floor.append(await bare.search(place, query))
    return whole, floor
