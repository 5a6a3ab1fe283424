"""Blocks: the tree, the words of what can be found, and the intents that vectors follow."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import dict_row
from sqlalchemy import (
    Row,
    Uuid,
    case,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    true,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from acontext_server.kit.database import Raw, Tx, fetch
from acontext_server.kit.ids import ProjectId
from acontext_server.space.domain.blocks import Block, BlockType, searched_texts
from acontext_server.space.ranking import WordHits
from acontext_server.space.store.tables import BlockRow, EmbeddingSpaceRow, VectorIntentRow

COLUMNS = (
    BlockRow.id,
    BlockRow.space_id,
    BlockRow.type,
    BlockRow.parent_id,
    BlockRow.title,
    BlockRow.props,
    BlockRow.sort,
    BlockRow.archived,
    BlockRow.version,
    BlockRow.by_person,
    BlockRow.created_at,
    BlockRow.updated_at,
)
CONTENT = (BlockType.SOP, BlockType.TEXT)
_CONTENT_WORDS = [kind.value for kind in CONTENT]
LANGUAGE = "english"


async def find_block(tx: Tx, project_id: ProjectId, block_id: UUID) -> Block | None:
    """Read one block, of whatever space."""
    found = await tx.execute(select(*COLUMNS).where(*_is(project_id, block_id)))
    row = found.one_or_none()
    return _block(row) if row else None


async def children(
    tx: Tx,
    project_id: ProjectId,
    space_id: UUID,
    parent_id: UUID | None,
    kind: BlockType | None = None,
) -> Sequence[Block]:
    """Read the children of a block or of the root, by type and then sort."""
    statement = select(*COLUMNS).where(*_below(project_id, space_id, parent_id))
    if kind is not None:
        statement = statement.where(BlockRow.type == kind)
    rows = await tx.execute(statement.order_by(_order_of_types(), BlockRow.sort))
    return [_block(row) for row in rows]


def _order_of_types() -> Any:
    order = {kind.value: index for index, kind in enumerate(BlockType)}
    return case(order, value=BlockRow.type)


async def pages(tx: Tx, project_id: ProjectId, space_id: UUID) -> Sequence[Block]:
    """Read all pages of a space."""
    statement = select(*COLUMNS).where(
        BlockRow.project_id == project_id,
        BlockRow.space_id == space_id,
        BlockRow.type == BlockType.PAGE,
        BlockRow.archived.is_(False),
    )
    return [_block(row) for row in await tx.execute(statement.order_by(BlockRow.id))]


async def all_of_space(tx: Tx, project_id: ProjectId, space_id: UUID) -> Sequence[Block]:
    """Read everything of a space."""
    statement = select(*COLUMNS).where(
        BlockRow.project_id == project_id, BlockRow.space_id == space_id
    )
    rows = await tx.execute(statement.order_by(BlockRow.created_at, BlockRow.id))
    return [_block(row) for row in rows]


async def ancestors(
    tx: Tx, project_id: ProjectId, block_id: UUID
) -> Sequence[tuple[UUID, BlockType, str]]:
    """Read id, type and title of a block and of all above it, from the root down."""
    start = (
        select(BlockRow.id, BlockRow.parent_id, BlockRow.type, BlockRow.title, literal(0))
        .where(*_is(project_id, block_id))
        .cte("above", recursive=True)
    )
    depth = list(start.c)[-1]
    parent = select(
        BlockRow.id, BlockRow.parent_id, BlockRow.type, BlockRow.title, depth + 1
    ).where(BlockRow.project_id == project_id, BlockRow.id == start.c.parent_id)
    above = start.union_all(parent)
    found = await tx.execute(
        select(above.c.id, above.c.type, above.c.title).order_by(list(above.c)[-1].desc())
    )
    return [(row.id, BlockType(row.type), row.title) for row in found]


async def content_below(tx: Tx, project_id: ProjectId, block_id: UUID) -> Sequence[UUID]:
    """Name the sops and texts that are a block or stand below it."""
    start = (
        select(BlockRow.id, BlockRow.type)
        .where(*_is(project_id, block_id))
        .cte("below", recursive=True)
    )
    child = select(BlockRow.id, BlockRow.type).where(
        BlockRow.project_id == project_id, BlockRow.parent_id == start.c.id
    )
    below = start.union_all(child)
    found = await tx.execute(select(below.c.id).where(below.c.type.in_(CONTENT)))
    return found.scalars().all()


async def content_of(tx: Tx, project_id: ProjectId, space_id: UUID) -> Sequence[Block]:
    """Read everything in a space that can be found."""
    statement = select(*COLUMNS).where(*_findable(project_id, space_id))
    return [_block(row) for row in await tx.execute(statement)]


async def insert_block(tx: Tx, project_id: ProjectId, block: Block) -> Block:
    """Put a new block at the end of its siblings; its own sort does not count."""
    place = _below(project_id, block.space_id, block.parent_id)
    last = select(func.coalesce(func.max(BlockRow.sort) + 1, 0)).where(*place)
    row = {
        "project_id": project_id,
        "id": block.id,
        "space_id": block.space_id,
        "parent_id": block.parent_id,
        "type": block.type,
        "title": block.title,
        "props": dict(block.props),
        "sort": last.scalar_subquery(),
        "version": block.version,
        "by_person": block.by_person,
        "created_at": block.created_at,
        "updated_at": block.updated_at,
    }
    inserted = await tx.execute(insert(BlockRow).values(row).returning(*COLUMNS))
    return _block(inserted.one())


async def update_block(tx: Tx, project_id: ProjectId, block: Block) -> None:
    """Keep what a block says, and whether it is archived."""
    values = {
        "title": block.title,
        "props": dict(block.props),
        "archived": block.archived,
        "version": block.version,
        "by_person": block.by_person,
        "updated_at": block.updated_at,
    }
    await tx.execute(update(BlockRow).where(*_is(project_id, block.id)).values(values))


async def place(
    tx: Tx, project_id: ProjectId, block: Block, parent_id: UUID | None, sort: int, now: datetime
) -> None:
    """Move a block to a position that was clamped, closing its gap and making room."""
    await _shift(tx, project_id, block.space_id, block.parent_id, from_sort=block.sort + 1, by=-1)
    if parent_id != block.parent_id:
        await _shift(tx, project_id, block.space_id, parent_id, from_sort=sort, by=1)
    else:
        await _shift(tx, project_id, block.space_id, parent_id, sort, 1, but=block.id)
    moved = update(BlockRow).where(*_is(project_id, block.id))
    await tx.execute(moved.values(parent_id=parent_id, sort=sort, updated_at=now))


async def delete_block(tx: Tx, project_id: ProjectId, block: Block) -> None:
    """Remove a block with all below it, and close its gap."""
    await tx.execute(delete(BlockRow).where(*_is(project_id, block.id)))
    await _shift(tx, project_id, block.space_id, block.parent_id, from_sort=block.sort, by=-1)


async def _shift(
    tx: Tx,
    project_id: ProjectId,
    space_id: UUID,
    parent_id: UUID | None,
    from_sort: int,
    by: int,
    but: UUID | None = None,
) -> None:
    moved = update(BlockRow).where(
        *_below(project_id, space_id, parent_id), BlockRow.sort >= from_sort
    )
    if but is not None:
        moved = moved.where(BlockRow.id != but)
    await tx.execute(moved.values(sort=BlockRow.sort + by))


async def count_children(
    tx: Tx, project_id: ProjectId, space_id: UUID, parent_id: UUID | None
) -> int:
    """Count the children of a block or of the root."""
    statement = select(func.count()).where(*_below(project_id, space_id, parent_id))
    return (await tx.execute(statement)).scalar_one()


async def reindex(
    tx: Tx, project_id: ProjectId, block: Block, page_title: str, now: datetime
) -> None:
    """Let words follow a block at once, and its vector as soon as the intent is read."""
    what_for, rest = searched_texts(block)
    words = _weighted(what_for, "A").concat(_weighted(f"{rest} {_spoken(page_title)}", "D"))
    await tx.execute(update(BlockRow).where(*_is(project_id, block.id)).values(words=words))
    await intend(tx, project_id, block.space_id, [block.id], now)


def _weighted(text: str, weight: str) -> Any:
    return func.setweight(func.to_tsvector(LANGUAGE, text), literal_column(f"'{weight}'::\"char\""))


def _spoken(title: str) -> str:
    return title.replace("_", " ")


async def intend(
    tx: Tx, project_id: ProjectId, space_id: UUID, block_ids: Collection[UUID], now: datetime
) -> None:
    """Note that vectors have to follow their blocks."""
    if not block_ids:
        return
    wanted = values(column("id", Uuid), name="wanted").data([(one,) for one in block_ids])
    # Each embedding space that there is, also one that is only being filled.
    everywhere = (
        select(
            literal(project_id),
            literal(space_id),
            wanted.c.id,
            EmbeddingSpaceRow.name,
            literal(now),
        )
        .join_from(wanted, EmbeddingSpaceRow, true())
        .order_by(wanted.c.id, EmbeddingSpaceRow.name)
    )
    columns = ["project_id", "space_id", "block_id", "embedding_space", "due_at"]
    again = {"generation": VectorIntentRow.generation + 1, "attempts": 0, "due_at": now}
    await tx.execute(
        upsert(VectorIntentRow)
        .from_select(columns, everywhere)
        .on_conflict_do_update(constraint="vector_intent_pkey", set_=again)
    )


@dataclass(frozen=True)
class Matches:
    """What of a query's words a space has, and what the space itself wants of searches."""

    configs: Mapping[str, Any]
    stems: frozenset[str]
    hits: Mapping[UUID, WordHits]
    total: int


# Every search asks these, so they go through the driver itself.
_ASKED: LiteralString = """
SELECT configs, tsvector_to_array(to_tsvector(%(language)s::regconfig, %(query)s)),
       (SELECT count(*) FROM space.block
        WHERE project_id = %(project_id)s AND space_id = %(space_id)s
          AND type = ANY(%(content)s) AND NOT archived)
FROM space.space WHERE project_id = %(project_id)s AND id = %(space_id)s
"""
_HITS: LiteralString = """
SELECT id, array_agg(lexeme) FILTER (WHERE 'A' = ANY(weights)),
       array_agg(lexeme) FILTER (WHERE NOT 'A' = ANY(weights))
FROM space.block, unnest(words)
WHERE project_id = %(project_id)s AND space_id = %(space_id)s
  AND type = ANY(%(content)s) AND NOT archived AND lexeme = ANY(%(stems)s)
GROUP BY id
"""


async def match_words(
    connection: Raw, project_id: ProjectId, space_id: UUID, query: str
) -> Matches | None:
    """Look a query's words up in everything of a space that can be found; None without a space."""
    here = {
        "project_id": project_id,
        "space_id": space_id,
        "content": [kind.value for kind in CONTENT],
    }
    asked = await connection.execute(_ASKED, {**here, "language": LANGUAGE, "query": query})
    known = await asked.fetchone()
    if known is None:
        return None
    configs, stems, total = known
    rows = await (await connection.execute(_HITS, {**here, "stems": stems})).fetchall()
    hits = {id_: WordHits(frozenset(main or ()), frozenset(rest or ())) for id_, main, rest in rows}
    return Matches(configs, frozenset(stems), hits, total)


_READ: LiteralString = """
SELECT id, space_id, type, parent_id, title, props, sort, archived, version, by_person,
       created_at, updated_at
FROM space.block
WHERE project_id = %(project_id)s AND space_id = %(space_id)s
  AND type = ANY(%(content)s) AND NOT archived AND id = ANY(%(ids)s)
"""


async def read_blocks(
    tx: Tx | Raw, project_id: ProjectId, space_id: UUID, block_ids: Collection[UUID]
) -> Mapping[UUID, Block]:
    """Read some blocks of a space, those that can still be found."""
    here = {"project_id": project_id, "space_id": space_id, "content": _CONTENT_WORDS}
    rows = await fetch(tx, _READ, {**here, "ids": list(block_ids)}, row_factory=dict_row)
    return {row["id"]: Block(**{**row, "type": BlockType(row["type"])}) for row in rows}


async def sops_with_tools(
    tx: Tx, project_id: ProjectId, folded: Collection[str]
) -> Sequence[Block]:
    """Read the skills of a project that call one of these tools, for an update."""
    step = func.jsonb_array_elements(BlockRow.props["tool_sops"]).table_valued("value")
    calls = select(literal(1)).select_from(step)
    named = func.lower(func.trim(func.jsonb_extract_path_text(step.c.value, "tool_name")))
    statement = select(*COLUMNS).where(
        BlockRow.project_id == project_id,
        BlockRow.type == BlockType.SOP,
        calls.where(named.in_(folded)).exists(),
    )
    rows = await tx.execute(statement.order_by(BlockRow.id).with_for_update())
    return [_block(row) for row in rows]


def _is(project_id: ProjectId, block_id: UUID) -> tuple[Any, Any]:
    return BlockRow.project_id == project_id, BlockRow.id == block_id


def _below(project_id: ProjectId, space_id: UUID, parent_id: UUID | None) -> tuple[Any, Any, Any]:
    parent = BlockRow.parent_id.is_(None) if parent_id is None else BlockRow.parent_id == parent_id
    return BlockRow.project_id == project_id, BlockRow.space_id == space_id, parent


def _findable(project_id: ProjectId, space_id: UUID) -> tuple[Any, ...]:
    return (
        BlockRow.project_id == project_id,
        BlockRow.space_id == space_id,
        BlockRow.type.in_(CONTENT),
        BlockRow.archived.is_(False),
    )


def _block(row: Row[Any]) -> Block:
    return Block(**{**row._mapping, "type": BlockType(row.type)})
