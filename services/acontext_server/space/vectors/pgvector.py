"""Vectors in PostgreSQL, compared exactly: a btree by space beats an approximate index here."""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import LiteralString
from uuid import UUID

from sqlalchemy import text

from acontext_server.kit.database import Database, open_database, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.space.embedder import EmbeddingSpace, Vector
from acontext_server.space.vectors import Kept

POOL = 4
LOCK = 0x76656374
"""Key of the advisory lock under which the table is made."""

TABLE = (
    "create extension if not exists vector",
    "create schema if not exists vectors",
    """
    create table if not exists vectors.vector (
        project_id uuid not null,
        embedding_space text not null,
        id uuid not null,
        space_id uuid not null,
        embedding public.vector not null,
        primary key (project_id, embedding_space, id)
    )
    """,
    """
    create index if not exists vector_space_idx
    on vectors.vector (project_id, space_id, embedding_space)
    """,
)
UPSERT = text(
    """
    insert into vectors.vector (project_id, embedding_space, id, space_id, embedding)
    values (:project_id, :embedding_space, :id, :space_id, cast(:embedding as public.vector))
    on conflict (project_id, embedding_space, id)
    do update set space_id = excluded.space_id, embedding = excluded.embedding
    """
)
DELETE = text(
    """
    delete from vectors.vector
    where project_id = :project_id and embedding_space = :embedding_space and id = any(:ids)
    """
)
PAGE = 500
SCAN = text(
    """
    select id, space_id, cast(embedding as text) as embedding from vectors.vector
    where project_id = :project_id and embedding_space = :embedding_space and id > :after
    order by id limit :limit
    """
)
PROJECTS = text(
    """
    select project_id from vectors.vector
    where embedding_space = :embedding_space and project_id > :after
    order by project_id limit 1
    """
)
DROP = text("delete from vectors.vector where embedding_space = :embedding_space")
DELETE_PROJECT = text("delete from vectors.vector where project_id = :project_id")
VERSION = text("select extversion from pg_extension where extname = 'vector'")
QUERY: LiteralString = """
    select id, embedding operator(public.<=>) %(vector)s::public.vector as distance
    from vectors.vector
    where project_id = %(project_id)s and space_id = %(space_id)s
      and embedding_space = %(embedding_space)s
    order by distance, id
    limit %(limit)s
"""
"""Goes through the driver itself, since every search waits for it."""


class PgVectors:
    """The embedded default."""

    def __init__(self, database: Database, embedding_space: EmbeddingSpace) -> None:
        self._database = database
        self._embedding_space = embedding_space.id

    async def upsert(
        self, project_id: ProjectId, space_id: UUID, vectors: Mapping[UUID, Vector]
    ) -> None:
        rows = [
            {
                "project_id": project_id,
                "embedding_space": self._embedding_space,
                "id": key,
                "space_id": space_id,
                "embedding": _literal(vector),
            }
            for key, vector in vectors.items()
        ]
        if rows:
            async with self._database.transaction() as tx:
                await tx.execute(UPSERT, rows)

    async def delete(self, project_id: ProjectId, ids: Collection[UUID]) -> None:
        scope = {"project_id": project_id, "embedding_space": self._embedding_space}
        async with self._database.transaction() as tx:
            await tx.execute(DELETE, {**scope, "ids": list(ids)})

    async def delete_project(self, project_id: ProjectId) -> None:
        async with self._database.transaction() as tx:
            await tx.execute(DELETE_PROJECT, {"project_id": project_id})

    async def query(
        self, project_id: ProjectId, space_id: UUID, vector: Vector, limit: int
    ) -> dict[UUID, float]:
        asked = {
            "project_id": project_id,
            "space_id": space_id,
            "embedding_space": self._embedding_space,
            "vector": _literal(vector),
            "limit": limit,
        }
        async with self._database.raw() as connection:
            found = await (await connection.execute(QUERY, asked)).fetchall()
        return {key: max(0.0, distance) for key, distance in found}

    async def ask_version(self) -> str:
        async with self._database.transaction() as tx:
            return str((await tx.execute(VERSION)).scalar_one())

    async def projects(self) -> AsyncIterator[ProjectId]:
        after: UUID | None = UUID(int=0)
        while after is not None:
            scope = {"embedding_space": self._embedding_space, "after": after}
            async with self._database.transaction() as tx:
                after = (await tx.execute(PROJECTS, scope)).scalar()
            if after is not None:
                yield ProjectId(after)

    async def scan(self, project_id: ProjectId) -> AsyncIterator[Sequence[Kept]]:
        after = UUID(int=0)
        scope = {"project_id": project_id, "embedding_space": self._embedding_space, "limit": PAGE}
        while True:
            async with self._database.transaction() as tx:
                rows = (await tx.execute(SCAN, {**scope, "after": after})).all()
            if not rows:
                return
            after = rows[-1].id
            yield [
                Kept(id=row.id, space_id=row.space_id, vector=json.loads(row.embedding))
                for row in rows
            ]

    async def drop(self, embedding_space: str) -> None:
        async with self._database.transaction() as tx:
            await patient(tx)
            await tx.execute(DROP, {"embedding_space": embedding_space})


def _literal(vector: Vector) -> str:
    return f"[{','.join(map(repr, vector))}]"


@asynccontextmanager
async def open_pgvector(url: str, embedding_space: EmbeddingSpace) -> AsyncIterator[PgVectors]:
    """Make the table unless it is there."""
    async with open_database(url, pool=POOL) as database:
        async with database.transaction() as tx:
            await tx.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
            for statement in TABLE:
                await tx.execute(text(statement))
        yield PgVectors(database, embedding_space)
