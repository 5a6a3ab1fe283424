"""Vectors on their way out of an index and into another, of whatever engine."""

import base64
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

import orjson

from acontext_server.kit.config import Settings
from acontext_server.kit.database import Raw
from acontext_server.kit.ids import ProjectId
from acontext_server.space.embedder import EmbeddingSpace
from acontext_server.space.vectors import Kept, Vectors, open_vectors

Lines = AsyncIterator[bytes]

_SETTLED = """
select b.id from space.block b
where b.project_id = %(project_id)s and b.id = any(%(ids)s) and not exists (
    select from space.vector_intent i
    where i.project_id = b.project_id and i.block_id = b.id
      and i.embedding_space in (%(embedding_space)s, '')
)
"""
"""Blocks whose vectors are those of their present text."""
_WITHOUT_VECTOR = """
insert into space.vector_intent (project_id, space_id, block_id, embedding_space, due_at)
select b.project_id, b.space_id, b.id, e.name, now()
from space.block b cross join space.embedding_space e
where b.project_id = %(project_id)s and b.type in ('sop', 'text') and not b.archived
  and not exists (select from carried c where c.id = b.id and c.embedding_space = e.name)
on conflict do nothing
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Reads the vectors of embedding spaces that fit the rows of a snapshot."""

    settings: Settings
    snapshot: Raw
    present: Raw
    """Sees what has happened since the snapshot, which the index may have followed."""

    async def embedding_spaces(self) -> Sequence[str]:
        """Name those that are ready."""
        found = await self.snapshot.execute("select name from space.embedding_space where ready")
        return [name for (name,) in await found.fetchall()]

    async def lines(self, embedding_space: str, project_id: ProjectId | None) -> Lines:
        """Read one line per vector."""
        async with vectors_of(self.settings, embedding_space) as vectors:
            projects = vectors.projects() if project_id is None else _only(project_id)
            async for one in projects:
                async for page in vectors.scan(one):
                    fitting = await self._fitting(embedding_space, one, page)
                    yield b"".join(_line(one, kept) for kept in page if kept.id in fitting)

    async def _fitting(
        self, embedding_space: str, project_id: ProjectId, page: Sequence[Kept]
    ) -> set[UUID]:
        asked = {
            "project_id": project_id,
            "ids": [kept.id for kept in page],
            "embedding_space": embedding_space,
        }
        settled = await self.snapshot.execute(_SETTLED, asked)
        ids = {key for (key,) in await settled.fetchall()}
        then, since = [
            {
                (key, changed)
                for key, changed in await (
                    await connection.execute(
                        "select id, updated_at from space.block"
                        " where project_id = %(project_id)s and id = any(%(ids)s)",
                        asked,
                    )
                ).fetchall()
            }
            for connection in (self.snapshot, self.present)
        ]
        return ids & {key for key, _ in then & since}


class Importer:
    """Writes vectors of embedding spaces, and has written anew what came without."""

    def __init__(self, settings: Settings, connection: Raw) -> None:
        self._settings = settings
        self._connection = connection

    async def prepare(self) -> None:
        """Make the place where it is noted what came."""
        await self._connection.execute(
            "create temporary table carried (id uuid, embedding_space text) on commit drop"
        )

    async def knows(self, embedding_space: str) -> bool:
        """Say whether vectors are written in this embedding space here."""
        found = await self._connection.execute(
            "select from space.embedding_space where name = %s", [embedding_space]
        )
        return await found.fetchone() is not None

    async def take(self, embedding_space: str, chunks: AsyncIterator[bytes]) -> int:
        """Write the lines of one embedding space."""
        count = 0
        async with vectors_of(self._settings, embedding_space) as vectors:
            async for lines in _lines(chunks):
                count += await self._take(vectors, embedding_space, lines)
        return count

    async def finish(self, project_id: ProjectId) -> None:
        """Intend a vector for everything that came without, in each embedding space of here."""
        await self._connection.execute("analyze carried")
        await self._connection.execute(_WITHOUT_VECTOR, {"project_id": project_id})

    async def forget(self, project_id: ProjectId, embedding_spaces: Sequence[str]) -> None:
        """Take away what was written for an import that failed."""
        for name in embedding_spaces:
            async with vectors_of(self._settings, name) as vectors:
                await vectors.delete_project(project_id)

    async def _take(self, vectors: Vectors, embedding_space: str, lines: Sequence[bytes]) -> int:
        places: dict[tuple[ProjectId, UUID], dict[UUID, list[float]]] = {}
        for line in lines:
            project_id, space_id, key, vector = _read(line)
            places.setdefault((project_id, space_id), {})[key] = vector
        for (project_id, space_id), some in places.items():
            await vectors.upsert(project_id, space_id, some)
        rows = [(key, embedding_space) for some in places.values() for key in some]
        async with self._connection.cursor() as cursor:
            await cursor.executemany("insert into carried values (%s, %s)", rows)
        return len(lines)


def vectors_of(settings: Settings, embedding_space: str) -> AbstractAsyncContextManager[Vectors]:
    """Open the index of an embedding space, whatever the embedder of here is."""
    return open_vectors(
        settings.vectors_url,
        database_url=settings.database_url,
        embedding_space=EmbeddingSpace.parse(embedding_space),
    )


def _line(project_id: ProjectId, kept: Kept) -> bytes:
    # Both engines keep single precision.
    numbers = base64.b64encode(array("f", kept.vector).tobytes()).decode()
    return orjson.dumps([project_id, kept.space_id, kept.id, numbers]) + b"\n"


def _read(line: bytes) -> tuple[ProjectId, UUID, UUID, list[float]]:
    project_id, space_id, key, numbers = orjson.loads(line)
    vector = array("f")
    vector.frombytes(base64.b64decode(numbers))
    return ProjectId(UUID(project_id)), UUID(space_id), UUID(key), vector.tolist()


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[Sequence[bytes]]:
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(whole), 500):
            yield whole[start : start + 500]


async def _only(project_id: ProjectId) -> AsyncIterator[ProjectId]:
    yield project_id


def to_word(name: str) -> str:
    """Write the name of an embedding space as a file name."""
    return name.encode().hex()


def from_word(word: str) -> str:
    """Read what `to_word` writes."""
    return bytes.fromhex(word).decode()
