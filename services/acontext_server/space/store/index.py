"""Intents: which vectors have to follow which blocks, in which embedding space, until they have."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Executable, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from acontext_server.kit.database import Tx, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.space.store.blocks import CONTENT
from acontext_server.space.store.tables import BlockRow, EmbeddingSpaceRow, VectorIntentRow

_KEY = (VectorIntentRow.project_id, VectorIntentRow.block_id, VectorIntentRow.embedding_space)
_UNNAMED = ""
"""What the version before writes; it concerns whoever indexes."""


@dataclass(frozen=True)
class Intent:
    """One block whose vector is to follow it."""

    project_id: ProjectId
    space_id: UUID
    block_id: UUID
    embedding_space: str
    generation: int
    attempts: int


async def embedding_spaces(tx: Tx) -> Mapping[str, bool]:
    """Name all that vectors are written in, and say which are ready."""
    row = EmbeddingSpaceRow
    return {one.name: one.ready for one in await tx.execute(select(row.name, row.ready))}


async def add_embedding_space(tx: Tx, name: str, *, ready: bool) -> None:
    """Have vectors written in an embedding space too, from now on, by everybody.

    Waits until no transaction is open that did not know of it when it changed a block.
    """
    await tx.execute(text("lock table space.vector_intent in share row exclusive mode"))
    row = {"name": name, "ready": ready}
    await tx.execute(upsert(EmbeddingSpaceRow).values(row).on_conflict_do_nothing())


async def make_ready(tx: Tx, name: str) -> None:
    """Let an embedding space answer searches."""
    row = EmbeddingSpaceRow
    await tx.execute(update(row).where(row.name == name).values(ready=True))


async def remove_embedding_space(tx: Tx, name: str) -> None:
    """Have nothing more written in an embedding space."""
    await tx.execute(text("lock table space.vector_intent in share row exclusive mode"))
    await tx.execute(delete(EmbeddingSpaceRow).where(EmbeddingSpaceRow.name == name))
    row = VectorIntentRow
    await tx.execute(delete(row).where(row.embedding_space == name))


async def intend_all(tx: Tx, embedding_space: str, now: datetime) -> int:
    """Note for everything that can be found, across projects, that its vector has to follow."""
    await patient(tx)
    row = VectorIntentRow
    everything = select(
        BlockRow.project_id,
        BlockRow.space_id,
        BlockRow.id,
        literal(embedding_space),
        literal(now).label("due_at"),
    ).where(BlockRow.type.in_(CONTENT), BlockRow.archived.is_(False))
    columns = ["project_id", "space_id", "block_id", "embedding_space", "due_at"]
    again = {"generation": row.generation + 1, "attempts": 0, "due_at": now}
    noted = upsert(row).from_select(columns, everything.order_by(BlockRow.project_id, BlockRow.id))
    done = (
        noted.on_conflict_do_update(constraint="vector_intent_pkey", set_=again)
        .returning(literal(1))
        .cte()
    )
    return (await tx.execute(select(func.count()).select_from(done))).scalar_one()


async def claim_due(
    tx: Tx, embedding_space: str, now: datetime, *, until: datetime, limit: int
) -> Sequence[Intent]:
    """Take what is due, across projects, away from other workers for a while: this is a sweep."""
    row = VectorIntentRow
    due = (
        select(*_KEY)
        .where(row.embedding_space.in_((embedding_space, _UNNAMED)), row.due_at <= now)
        .order_by(row.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = update(row).where(tuple_(*_KEY).in_(due)).values(due_at=until)
    return await _intents(tx, claimed.returning(*_COLUMNS))


async def intents_of(
    tx: Tx, project_id: ProjectId, space_id: UUID, embedding_space: str
) -> Sequence[Intent]:
    """Read what a space waits for, due or not."""
    row = VectorIntentRow
    statement = select(*_COLUMNS).where(
        row.project_id == project_id,
        row.space_id == space_id,
        row.embedding_space.in_((embedding_space, _UNNAMED)),
    )
    return await _intents(tx, statement)


_COLUMNS = (
    VectorIntentRow.project_id,
    VectorIntentRow.space_id,
    VectorIntentRow.block_id,
    VectorIntentRow.embedding_space,
    VectorIntentRow.generation,
    VectorIntentRow.attempts,
)


async def _intents(tx: Tx, statement: Executable) -> Sequence[Intent]:
    return [
        Intent(
            ProjectId(one.project_id),
            one.space_id,
            one.block_id,
            one.embedding_space,
            one.generation,
            one.attempts,
        )
        for one in await tx.execute(statement)
    ]


async def count_intents(tx: Tx, embedding_space: str) -> int:
    """Count what an embedding space waits for, across projects."""
    row = VectorIntentRow
    waiting = select(func.count()).where(row.embedding_space == embedding_space)
    return (await tx.execute(waiting)).scalar_one()


async def settle(tx: Tx, intents: Sequence[Intent]) -> Sequence[Intent]:
    """Strike intents off, and return those whose block has changed meanwhile, or that another
    worker struck off."""
    row = VectorIntentRow
    keys = [(one.project_id, one.block_id, one.embedding_space, one.generation) for one in intents]
    done = delete(row).where(tuple_(*_KEY, row.generation).in_(keys)).returning(*_KEY)
    struck = {tuple(one) for one in await tx.execute(done)}
    return [
        one for one in intents if (one.project_id, one.block_id, one.embedding_space) not in struck
    ]


async def postpone(tx: Tx, intent: Intent, due_at: datetime) -> None:
    """Try again later."""
    row = VectorIntentRow
    later = update(row).where(
        row.project_id == intent.project_id,
        row.block_id == intent.block_id,
        row.embedding_space == intent.embedding_space,
    )
    await tx.execute(later.values(attempts=intent.attempts + 1, due_at=due_at))


async def searchable(
    tx: Tx, project_id: ProjectId, space_id: UUID, block_ids: Collection[UUID]
) -> frozenset[UUID]:
    """Say which of some ids are blocks of a space that can be found."""
    statement = select(BlockRow.id).where(
        BlockRow.project_id == project_id,
        BlockRow.space_id == space_id,
        BlockRow.id.in_(block_ids),
        BlockRow.type.in_(CONTENT),
        BlockRow.archived.is_(False),
    )
    return frozenset((await tx.execute(statement)).scalars())
