"""Letting vectors follow their blocks: PostgreSQL is the truth, the index comes after."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from acontext_server.kit.database import Database
from acontext_server.kit.errors import ServiceError
from acontext_server.kit.ids import ProjectId
from acontext_server.space.app import Now
from acontext_server.space.domain.blocks import Block, searched_texts
from acontext_server.space.domain.errors import EmbeddingSpaceMismatch
from acontext_server.space.embedder import Embedder
from acontext_server.space.ranking import embedded_text
from acontext_server.space.store import blocks, index
from acontext_server.space.store.index import Intent
from acontext_server.space.vectors import Vectors

log = structlog.get_logger()

BATCH = 32
POLL_SECONDS = 0.3
LONGEST_WAIT_SECONDS = 60.0


class Indexer:
    """Reads intents and makes the index agree with the blocks."""

    def __init__(
        self, database: Database, *, embedder: Embedder, vectors: Vectors, now: Now
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._vectors = vectors
        self._now = now

    async def check(self) -> None:
        """Raise EmbeddingSpaceMismatch when the vectors in use came from another embedder."""
        own = self._embedder.space.id
        async with self._database.transaction() as tx:
            foreign = await index.foreign_embedding_space(tx, own)
        if foreign is not None:
            raise EmbeddingSpaceMismatch(foreign, own)

    async def run(self) -> None:
        """Follow intents for as long as the caller lives."""
        while True:
            try:
                while await self.follow() == BATCH:
                    pass
            except ServiceError as error:
                log.warning("index_waits", error=repr(error))
            await asyncio.sleep(POLL_SECONDS * random.uniform(0.8, 1.2))

    async def rebuild(self) -> int:
        """Write every vector anew, in the embedder's own space, and return how many there are.

        What was indexed before stays until it is written over, so that searches go on meanwhile.
        """
        async with self._database.transaction() as tx:
            count = await index.intend_all(tx, self._now())
        while await self.follow():
            pass
        return count

    @property
    def embedding_space(self) -> str:
        """Name the embedding space that vectors are written in."""
        return self._embedder.space.id

    async def follow(self) -> int:
        """Deal with one batch of what is due, and return how many intents it had."""
        async with self._database.transaction() as tx:
            intents = await index.due_intents(tx, self._now(), BATCH)
        for intent in intents:
            await self._follow(intent)
        return len(intents)

    async def settle(self, project_id: ProjectId, space_id: UUID) -> None:
        """Deal with all that a space waits for, so that a query sees everything."""
        async with self._database.transaction() as tx:
            intents = await index.intents_of(tx, project_id, space_id)
        for intent in intents:
            await self._apply(intent)

    async def _follow(self, intent: Intent) -> None:
        try:
            await self._apply(intent)
        except Exception as error:  # as in a consumer: one bad block must not stop the others
            expected = isinstance(error, ServiceError)
            log.warning("vector_waits", block_id=str(intent.block_id), exc_info=not expected)
            wait = min(2.0**intent.attempts * 0.2, LONGEST_WAIT_SECONDS)
            async with self._database.transaction() as tx:
                await index.postpone(tx, intent, self._now() + timedelta(seconds=wait))

    async def _apply(self, intent: Intent) -> None:
        project_id, block_id = intent.project_id, intent.block_id
        async with self._database.transaction() as tx:
            found = await blocks.read_blocks(tx, project_id, intent.space_id, [block_id])
        block = found.get(block_id)
        if block is None:
            await self._vectors.delete(project_id, [block_id])
        else:
            await self._vectors.upsert(project_id, block.space_id, await self._embed([block]))
        async with self._database.transaction() as tx:
            embedded = self._embedder.space.id if block else None
            if not await index.settle(tx, intent, embedded):
                # Another worker may have written a newer vector before ours: look again.
                await blocks.intend(tx, project_id, intent.space_id, [block_id], self._now())

    async def _embed(self, found: Sequence[Block]) -> dict[UUID, list[float]]:
        texts = [embedded_text(searched_texts(block)[0]) for block in found]
        vectors = await self._embedder.embed(texts)
        return {block.id: vector for block, vector in zip(found, vectors, strict=True)}
