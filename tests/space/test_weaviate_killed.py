"""What Weaviate acknowledged is found by its vector, though it was killed at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import orjson
import psutil
import pytest
import weaviate
from weaviate.classes.data import DataObject

from acontext_server.kit.engines import Supervisor, supervise
from acontext_server.kit.errors import Unavailable
from acontext_server.kit.ids import ProjectId, uuid7
from acontext_server.space.embedder import EmbeddingSpace
from acontext_server.space.vectors import Vectors
from acontext_server.space.vectors.weaviate import collection_name, open_weaviate
from tests.engines import Weaviate
from tests.journeys.system import eventually

pytestmark = [pytest.mark.engines, pytest.mark.slow]

SPACE = EmbeddingSpace("test", "1", 3)
PROJECT, ROOM = ProjectId(uuid7()), uuid7()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Supervisor, Weaviate]]:
    async with supervise(folder) as supervisor:
        server = Weaviate(supervisor.folder)
        await supervisor.start(server, patience=120)
        yield supervisor, server


def kill(supervisor: Supervisor) -> None:
    mark = orjson.loads(supervisor.folder.mark("weaviate").read_bytes())
    psutil.Process(mark["pid"]).kill()


async def insert_only(server: Weaviate, one: UUID) -> None:
    """Write as our adapter does when it is cut off in the middle."""
    host, _, port = server.address.partition(":")
    async with weaviate.use_async_with_local(
        host=host, port=int(port), grpc_port=int(server.grpc_port)
    ) as client:
        collection = client.collections.get(collection_name(SPACE.id)).with_tenant(str(PROJECT))
        half = DataObject(properties={"space_id": ROOM}, uuid=one, vector=[0.0, 0.0, 1.0])
        assert not (await collection.data.insert_many([half])).has_errors


async def until_found(vectors: Vectors, expected: set[UUID]) -> None:
    async def found() -> object:
        try:
            near = await vectors.query(PROJECT, ROOM, [1.0, 1.0, 1.0], limit=50)
        except Unavailable:
            return "unavailable"
        return expected <= near.keys() or expected - near.keys()

    await eventually("everything is found", found)


async def test_no_vector_is_lost_and_one_that_was_is_written_again(state_folder: Path) -> None:
    async with (
        running(state_folder) as (supervisor, server),
        open_weaviate(server.url, SPACE) as vectors,
    ):
        kept: set[UUID] = set()
        for number in range(1, 4):
            one = uuid7()
            await vectors.upsert(PROJECT, ROOM, {one: [1.0, float(number), 0.0]})
            kept.add(one)
        kill(supervisor)
        await until_found(vectors, kept)

        half = uuid7()
        await insert_only(server, half)
        kill(supervisor)
        await until_found(vectors, kept)
        await vectors.upsert(PROJECT, ROOM, {half: [0.0, 0.0, 1.0]})
        await until_found(vectors, kept | {half})
