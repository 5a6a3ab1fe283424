"""Keeping vectors and finding the nearest: the port, and the way from a URL to its adapter.

A skill space has tens to thousands of vectors, so both adapters compare exactly. They keep nothing
but ids and vectors: PostgreSQL is the truth, and an index can be rebuilt from it.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from acontext_server.kit.ids import ProjectId
from acontext_server.space.embedder import EmbeddingSpace, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A vector as the index has it."""

    id: UUID
    space_id: UUID
    vector: Vector


class Vectors(Protocol):
    """The vectors of one embedding space, by project and space.

    Every call may be repeated. Raises Unavailable when the engine does not answer.
    """

    async def upsert(
        self, project_id: ProjectId, space_id: UUID, vectors: Mapping[UUID, Vector]
    ) -> None:
        """Keep vectors under their ids; found by every query that begins after the answer."""

    async def delete(self, project_id: ProjectId, ids: Collection[UUID]) -> None:
        """Forget vectors; unknown ids are fine."""

    async def delete_project(self, project_id: ProjectId) -> None:
        """Forget everything of a project, in every embedding space."""

    async def query(
        self, project_id: ProjectId, space_id: UUID, vector: Vector, limit: int
    ) -> dict[UUID, float]:
        """Find the nearest vectors of a space, with their cosine distances from 0 to 2."""

    async def ask_version(self) -> str:
        """Ask the engine for its version."""

    def projects(self) -> AsyncIterator[ProjectId]:
        """Name the projects that have vectors."""

    def scan(self, project_id: ProjectId) -> AsyncIterator[Sequence[Kept]]:
        """Read all vectors of a project, some hundred at a time, in no order to rely on."""

    async def drop(self, embedding_space: str) -> None:
        """Forget another embedding space, with all its vectors of all projects."""


class UnknownVectors(ValueError):
    """The setting's scheme names no adapter."""


def open_vectors(
    url: str, *, database_url: str, embedding_space: EmbeddingSpace
) -> AbstractAsyncContextManager[Vectors]:
    """Open the index that `ACONTEXT_VECTORS_URL` names, making what it needs."""
    scheme = url.partition(":")[0]
    if scheme == "pgvector":
        from acontext_server.space.vectors.pgvector import open_pgvector

        return open_pgvector(database_url, embedding_space)
    if scheme == "weaviate":
        from acontext_server.space.vectors.weaviate import open_weaviate

        return open_weaviate(url, embedding_space)
    raise UnknownVectors(f"ACONTEXT_VECTORS_URL: {scheme!r} is neither pgvector nor weaviate")
