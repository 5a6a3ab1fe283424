"""Under load, everything that runs in production is killed with -9 and comes back, in turn."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import pytest
from grpc import StatusCode
from sqlalchemy import text

from acontext.disk import v1 as disk
from acontext_server.kit.database import open_database
from acontext_server.space.reindex import open_indexer
from tests.engines import state_folder
from tests.journeys.client import Client, ask_patiently, channel_to
from tests.journeys.production import KEY, Production, production_beside
from tests.journeys.system import AS_PROJECT, eventually
from tests.journeys.test_kill import (
    CONVERSATIONS,
    SEED,
    check_messages,
    check_skills,
    check_tasks,
    write,
    write_one,
)

pytestmark = [pytest.mark.engines, pytest.mark.slow]

WRITERS = 3
RETRYABLE = {
    StatusCode.ABORTED,
    StatusCode.CANCELLED,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.UNAVAILABLE,
}
RETRYABLE_IN_HTTP = {409, 429, 502, 503, 504}
INDEXED = "select id from space.block where type in ('sop', 'text') and not archived"
LEFT_OVER = """
select count(*) from disk.blob b
where not exists (
    select from disk.artifact a where a.project_id = b.project_id and a.sha256 = b.sha256
) and not exists (
    select from disk.claim c where c.project_id = b.project_id and c.sha256 = b.sha256
)
"""


@pytest.fixture
def production() -> Iterator[Production]:
    with state_folder() as folder, production_beside(folder) as running:
        yield running


@dataclass
class Files:
    """Uploads one file after the other and remembers what was acknowledged."""

    stub: Any  # the generated stub has an asynchronous twin in its types only
    kept: dict[str, str] = field(default_factory=dict)
    disk_id: str = ""

    async def upload_until(self, over: asyncio.Event) -> None:
        chance = random.Random(f"{SEED} files")
        made = await ask_patiently(
            lambda: self.stub.CreateDisk(disk.CreateDiskRequest(), metadata=AS_PROJECT)
        )
        self.disk_id = made.disk.id
        while not over.is_set():
            data = chance.randbytes(chance.randrange(1_000, 8_000_000))
            path = f"/{len(self.kept)}.bin"
            await ask_patiently(partial(self._upload, path, data))
            self.kept[path] = hashlib.sha256(data).hexdigest()

    async def check(self) -> None:
        for path, sha256 in self.kept.items():
            assert await ask_patiently(partial(self._read, path)) == sha256

    async def _upload(self, path: str, data: bytes) -> None:
        head = disk.UploadHead(disk_id=self.disk_id, file_path=path)

        async def pieces() -> AsyncIterator[disk.UploadArtifactRequest]:
            yield disk.UploadArtifactRequest(head=head)
            for start in range(0, len(data), 500_000):
                yield disk.UploadArtifactRequest(chunk=data[start : start + 500_000])

        await self.stub.UploadArtifact(pieces(), metadata=AS_PROJECT, timeout=40)

    async def _read(self, path: str) -> str:
        request = disk.DownloadArtifactRequest(disk_id=self.disk_id, file_path=path)
        digest = hashlib.sha256()
        async for piece in self.stub.DownloadArtifact(request, metadata=AS_PROJECT, timeout=40):
            digest.update(piece.content.data)
        return digest.hexdigest()


async def ask_over_http(production: Production, over: asyncio.Event) -> Counter[int]:
    """Ask the REST door all along, as a client does that knows no gRPC."""
    answers: Counter[int] = Counter()
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=production.url, headers=headers, timeout=60) as http:
        while not over.is_set():
            try:
                answer = await http.post("/session", json={})
            except httpx.TransportError:  # the gateway itself is down
                answers[0] += 1
                await asyncio.sleep(0.2)
                continue
            answers[answer.status_code] += 1
            assert answer.json()["msg"] is not None
            await asyncio.sleep(0.1)
    return answers


@pytest.mark.timeout(1200)
async def test_everything_is_killed_in_turn_and_nothing_is_lost_or_doubled(
    production: Production,
) -> None:
    print(f"KILL_SEED={SEED}")
    async with channel_to(production.address) as channel:
        client = Client(channel)
        files = Files(disk.DiskServiceStub(channel))
        space_id, calm_space_id = await client.create_space(), await client.create_space()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as load:
            writing = [
                load.create_task(write(client, space_id, number, over)) for number in range(WRITERS)
            ]
            load.create_task(files.upload_until(over))
            asking = load.create_task(ask_over_http(production, over))
            for name in production.names:
                await kill(production, name)
            over.set()
        written = [one for task in writing for one in task.result()]
        told = {code.name: count for code, count in client.refused.items()}
        print(f"{len(written)} conversations, {len(files.kept)} files, refused: {told}")
        print(f"over HTTP: {dict(asking.result())}")
        assert client.refused.keys() <= RETRYABLE
        assert asking.result().keys() <= RETRYABLE_IN_HTTP | {0, 200, 201}

        await check_messages(client, written)
        await files.check()
        calm = [
            await write_one(client, calm_space_id, number) for number in range(len(CONVERSATIONS))
        ]
        await check_tasks(client, written, calm)
        await check_skills(client, (space_id, written), (calm_space_id, calm))
    await check_index(production)
    await check_bytes(production)


async def kill(production: Production, name: str) -> None:
    """Kill a program in its own thread's event loop and wait until it is back."""
    portal = production.portal
    assert portal
    await asyncio.to_thread(portal.call, production.kill, name)
    await asyncio.sleep(1)


async def check_index(production: Production) -> None:
    """The index holds exactly what PostgreSQL says, and finds each by its vector."""

    async def is_equal() -> object:
        settings = production.settings
        async with (
            open_database(settings.database_url, pool=1) as database,
            open_indexer(settings) as indexer,
        ):
            async with database.transaction() as tx:
                rows = set((await tx.execute(text(INDEXED))).scalars())
            kept = {
                one.id: (project_id, one)
                async for project_id in indexer.vectors.projects()
                async for page in indexer.vectors.scan(project_id)
                for one in page
            }
            lost = {
                one.id
                for project_id, one in kept.values()
                if one.id
                not in await indexer.vectors.query(project_id, one.space_id, one.vector, 5)
            }
        return (kept.keys() == rows and not lost) or (kept.keys() ^ rows, lost)

    await eventually("the index equals PostgreSQL", is_equal)


async def check_bytes(production: Production) -> None:
    """No bytes are left that nothing refers to and nobody claims."""
    async with (
        open_database(production.settings.database_url, pool=1) as database,
        database.transaction() as tx,
    ):
        assert (await tx.execute(text(LEFT_OVER))).scalar_one() == 0
