"""Intents: which vectors have to follow which blocks, until they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.space.store.blocks import CONTENT
from acontext_server.space.store.tables import BlockRow, VectorIntentRow


@dataclass(frozen=True)
class Intent:
    """One block whose vector is to follow it."""

    project_id: ProjectId
    space_id: UUID
    block_id: UUID
    generation: int
    attempts: int


async def intend_all(tx: Tx, now: datetime) -> int:
    """Note for everything that can be found, across projects, that its vector has to follow."""
    row = VectorIntentRow
    everything = select(
        BlockRow.project_id, BlockRow.space_id, BlockRow.id, literal(now).label("due_at")
    ).where(BlockRow.type.in_(CONTENT), BlockRow.archived.is_(False))
    columns = ["project_id", "space_id", "block_id", "due_at"]
    again = {"generation": row.generation + 1, "attempts": 0, "due_at": now}
    noted = (
        upsert(row)
        .from_select(columns, everything)
        .on_conflict_do_update(constraint="vector_intent_pkey", set_=again)
    )
    return len((await tx.execute(noted.returning(row.block_id))).all())


async def due_intents(tx: Tx, now: datetime, limit: int) -> Sequence[Intent]:
    """Read what is due, across projects: this is a sweep."""
    row = VectorIntentRow
    statement = (
        select(row.project_id, row.space_id, row.block_id, row.generation, row.attempts)
        .where(row.due_at <= now)
        .order_by(row.due_at)
        .limit(limit)
    )
    return [
        Intent(ProjectId(one.project_id), one.space_id, one.block_id, one.generation, one.attempts)
        for one in await tx.execute(statement)
    ]


async def intents_of(tx: Tx, project_id: ProjectId, space_id: UUID) -> Sequence[Intent]:
    """Read what a space waits for, due or not."""
    row = VectorIntentRow
    statement = select(row.block_id, row.generation, row.attempts).where(
        row.project_id == project_id, row.space_id == space_id
    )
    return [
        Intent(project_id, space_id, one.block_id, one.generation, one.attempts)
        for one in await tx.execute(statement)
    ]


async def settle(tx: Tx, intent: Intent, embedding_space: str | None) -> bool:
    """Strike an intent off; False if the block has changed meanwhile, or another worker did it."""
    row = VectorIntentRow
    done = delete(row).where(
        row.project_id == intent.project_id,
        row.block_id == intent.block_id,
        row.generation == intent.generation,
    )
    if (await tx.execute(done)).rowcount == 0:
        return False
    indexed = update(BlockRow).where(
        BlockRow.project_id == intent.project_id, BlockRow.id == intent.block_id
    )
    await tx.execute(indexed.values(embedding_space=embedding_space))
    return True


async def postpone(tx: Tx, intent: Intent, due_at: datetime) -> None:
    """Try again later."""
    row = VectorIntentRow
    later = update(row).where(row.project_id == intent.project_id, row.block_id == intent.block_id)
    await tx.execute(later.values(attempts=intent.attempts + 1, due_at=due_at))


async def foreign_embedding_space(tx: Tx, own: str) -> str | None:
    """Name an embedding space of vectors in use that is not our own, across projects."""
    statement = (
        select(BlockRow.embedding_space)
        .where(BlockRow.embedding_space.is_not(None), BlockRow.embedding_space != own)
        .limit(1)
    )
    return (await tx.execute(statement)).scalar()
