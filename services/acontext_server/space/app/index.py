"""Letting vectors follow their blocks: PostgreSQL is the truth, the index comes after.

Embedding spaces stand side by side. Whoever changes a block intends a vector in each of them, and
an indexer writes those of its own embedder; so one can be filled while another answers.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Collection, Sequence
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

BATCH = 64
CLAIMED = timedelta(seconds=30)
"""How long others leave a worker alone with what it took."""
POLL_SECONDS = 0.3
LONGEST_WAIT_SECONDS = 60.0


class Indexer:
    """Reads intents and makes the index agree with the blocks."""

    def __init__(
        self, database: Database, *, embedder: Embedder, vectors: Vectors, now: Now
    ) -> None:
        self._database = database
        self._embedder = embedder
        self.vectors = vectors
        self._now = now

    async def check(self) -> None:
        """Raise EmbeddingSpaceMismatch unless the embedder's own space can answer searches."""
        own = self.embedding_space
        async with self._database.transaction() as tx:
            known = await index.embedding_spaces(tx)
            if not known:
                await index.add_embedding_space(tx, own, ready=True)
                known = await index.embedding_spaces(tx)
        if not known.get(own):
            in_use = [name for name, ready in known.items() if ready]
            raise EmbeddingSpaceMismatch(", ".join(sorted(in_use)), own)

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

        What was indexed before stays until it is written over, and other embedding spaces go on
        being written, so that searches go on meanwhile. At the end the own space is ready.
        """
        own = self.embedding_space
        async with self._database.transaction() as tx:
            await index.add_embedding_space(tx, own, ready=False)
        async with self._database.transaction() as tx:
            count = await index.intend_all(tx, own, self._now())
        while await self._left():
            if not await self.follow():
                await asyncio.sleep(POLL_SECONDS)
        await self.prune()
        async with self._database.transaction() as tx:
            await index.make_ready(tx, own)
        return count

    async def prune(self) -> int:
        """Forget vectors of what cannot be found any more, and return how many there were."""
        pruned = 0
        async for project_id in self.vectors.projects():
            async for page in self.vectors.scan(project_id):
                of_space: dict[UUID, set[UUID]] = defaultdict(set)
                for one in page:
                    of_space[one.space_id].add(one.id)
                for space_id, ids in of_space.items():
                    pruned += await self._prune(project_id, space_id, ids)
        return pruned

    async def retire_others(self) -> Sequence[str]:
        """Forget every embedding space but the embedder's own, and return their names.

        Raises EmbeddingSpaceMismatch unless the own one is ready. Nothing that embeds otherwise
        may serve any more.
        """
        await self.check()
        async with self._database.transaction() as tx:
            others = sorted(set(await index.embedding_spaces(tx)) - {self.embedding_space})
            for name in others:
                await index.remove_embedding_space(tx, name)
        for name in others:
            await self.vectors.drop(name)
        return others

    @property
    def embedding_space(self) -> str:
        """Name the embedding space that vectors are written in."""
        return self._embedder.space.id

    async def follow(self) -> int:
        """Deal with one batch of what is due, and return how many intents it had."""
        now = self._now()
        async with self._database.transaction() as tx:
            intents = await index.claim_due(
                tx, self.embedding_space, now, until=now + CLAIMED, limit=BATCH
            )
        of_space: dict[tuple[ProjectId, UUID], list[Intent]] = defaultdict(list)
        for intent in intents:
            of_space[intent.project_id, intent.space_id].append(intent)
        for some in of_space.values():
            await self._follow(some)
        return len(intents)

    async def settle(self, project_id: ProjectId, space_id: UUID) -> None:
        """Deal with all that a space waits for, so that a query sees everything."""
        async with self._database.transaction() as tx:
            intents = await index.intents_of(tx, project_id, space_id, self.embedding_space)
        for start in range(0, len(intents), BATCH):
            await self._apply(intents[start : start + BATCH])

    async def _left(self) -> int:
        async with self._database.transaction() as tx:
            return await index.count_intents(tx, self.embedding_space)

    async def _follow(self, intents: Sequence[Intent]) -> None:
        try:
            await self._apply(intents)
        except Exception as error:  # as in a consumer: one bad block must not stop the others
            if len(intents) > 1:
                for intent in intents:
                    await self._follow([intent])
                return
            (intent,) = intents
            expected = isinstance(error, ServiceError)
            log.warning("vector_waits", block_id=str(intent.block_id), exc_info=not expected)
            wait = min(2.0**intent.attempts * 0.2, LONGEST_WAIT_SECONDS)
            async with self._database.transaction() as tx:
                await index.postpone(tx, intent, self._now() + timedelta(seconds=wait))

    async def _apply(self, intents: Sequence[Intent]) -> None:
        """Make the index agree with some blocks of one space."""
        project_id, space_id = intents[0].project_id, intents[0].space_id
        ids = {intent.block_id for intent in intents}
        async with self._database.transaction() as tx:
            found = await blocks.read_blocks(tx, project_id, space_id, ids)
        if gone := ids - found.keys():
            await self.vectors.delete(project_id, gone)
        if found:
            await self.vectors.upsert(project_id, space_id, await self._embed(found.values()))
        async with self._database.transaction() as tx:
            # Another worker may have written a newer vector before ours: look again.
            again = {intent.block_id for intent in await index.settle(tx, intents)}
            await blocks.intend(tx, project_id, space_id, again, self._now())

    async def _embed(self, found: Collection[Block]) -> dict[UUID, list[float]]:
        texts = [embedded_text(searched_texts(block)[0]) for block in found]
        vectors = await self._embedder.embed(texts)
        return {block.id: vector for block, vector in zip(found, vectors, strict=True)}

    async def _prune(self, project_id: ProjectId, space_id: UUID, ids: set[UUID]) -> int:
        async with self._database.transaction() as tx:
            strangers = ids - await index.searchable(tx, project_id, space_id, ids)
        if strangers:
            await self.vectors.delete(project_id, strangers)
        return len(strangers)
