"""Skills: versions, sources, exposures, confirmations and tool names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.space.domain.blocks import Block, BlockType, Skill
from acontext_server.space.domain.skills import (
    Confirmation,
    Difficulty,
    Exposure,
    Reason,
    Sop,
    Source,
    Step,
    Version,
)
from acontext_server.space.store import blocks
from acontext_server.space.store.tables import (
    BlockRow,
    ConfirmationRow,
    ExposureRow,
    OutcomeRow,
    SourceRow,
    ToolNameRow,
    VersionRow,
)


async def insert_version(tx: Tx, project_id: ProjectId, block_id: UUID, version: Version) -> None:
    """Keep what a skill says from now on."""
    row = {
        "project_id": project_id,
        "block_id": block_id,
        "version": version.version,
        "sop": sop_json(version.sop),
        "written_by": version.written_by,
        "change": version.change,
        "difficulty": _difficulty_json(version.difficulty),
        "created_at": version.created_at,
    }
    await tx.execute(insert(VersionRow).values(row))


async def insert_source(
    tx: Tx, project_id: ProjectId, block_id: UUID, version: int, source: Source
) -> None:
    """Note the task that taught a version; the same task again changes nothing."""
    row = {
        "project_id": project_id,
        "block_id": block_id,
        "version": version,
        "task_id": source.task_id,
        "session_id": source.session_id,
        "message_ids": list(source.message_ids),
        "run_id": source.run_id,
    }
    await tx.execute(upsert(SourceRow).values(row).on_conflict_do_nothing())


async def versions(tx: Tx, project_id: ProjectId, block_id: UUID) -> Sequence[Version]:
    """Read what a skill has said, newest first, with who taught it."""
    row = VersionRow
    found = await tx.execute(
        select(*row.__table__.c)
        .where(row.project_id == project_id, row.block_id == block_id)
        .order_by(row.version.desc())
    )
    taught = await _sources(tx, project_id, block_id)
    return [_version(one, taught.get(one.version, ())) for one in found]


async def _sources(tx: Tx, project_id: ProjectId, block_id: UUID) -> Mapping[int, Sequence[Source]]:
    row = SourceRow
    found = await tx.execute(
        select(*row.__table__.c)
        .where(row.project_id == project_id, row.block_id == block_id)
        .order_by(row.created_at, row.task_id)
    )
    taught: dict[int, list[Source]] = {}
    for one in found:
        source = Source(one.task_id, one.session_id, tuple(one.message_ids), one.run_id)
        taught.setdefault(one.version, []).append(source)
    return taught


async def former_sops(
    tx: Tx, project_id: ProjectId, block_ids: Collection[UUID]
) -> Mapping[UUID, tuple[Sop, ...]]:
    """Read what some skills have said."""
    row = VersionRow
    found = await tx.execute(
        select(row.block_id, row.sop).where(
            row.project_id == project_id, row.block_id.in_(block_ids)
        )
    )
    said: dict[UUID, tuple[Sop, ...]] = {}
    for one in found:
        said[one.block_id] = (*said.get(one.block_id, ()), sop_of(one.sop))
    return said


async def taught_alone_by(tx: Tx, project_id: ProjectId, task_id: UUID) -> Sequence[UUID]:
    """Name the skills that this task taught and no other did."""
    row = SourceRow
    mine = select(row.block_id).where(row.project_id == project_id, row.task_id == task_id)
    alone = (
        select(row.block_id)
        .where(row.project_id == project_id, row.block_id.in_(mine))
        .group_by(row.block_id)
        .having(func.count(func.distinct(row.task_id)) == 1)
    )
    return (await tx.execute(alone)).scalars().all()


async def list_skills(
    tx: Tx,
    project_id: ProjectId,
    space_id: UUID,
    *,
    with_archived: bool,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Skill]:
    """Read a page of skills, and one more."""
    row = BlockRow
    statement = _skills(project_id).where(row.space_id == space_id)
    if not with_archived:
        statement = statement.where(row.archived.is_(False))
    paged = by_time(
        statement, row.created_at, row.id, after=after, descending=descending, limit=limit
    )
    return [_skill(one) for one in await tx.execute(paged)]


async def find_skill(tx: Tx, project_id: ProjectId, block_id: UUID) -> Skill | None:
    """Read one skill."""
    found = await tx.execute(_skills(project_id).where(BlockRow.id == block_id))
    row = found.one_or_none()
    return _skill(row) if row else None


_PAGE = BlockRow.__table__.alias("page")


def _skills(project_id: ProjectId) -> Any:
    return (
        select(*blocks.COLUMNS, _PAGE.c.title.label("page_title"))
        .join(
            _PAGE,
            (_PAGE.c.project_id == BlockRow.project_id) & (_PAGE.c.id == BlockRow.parent_id),
        )
        .where(BlockRow.project_id == project_id, BlockRow.type == BlockType.SOP)
    )


def _skill(row: Row[Any]) -> Skill:
    values = dict(row._mapping)
    page_title = values.pop("page_title")
    return Skill(Block(**{**values, "type": BlockType(row.type)}), page_title)


async def insert_exposures(
    tx: Tx, project_id: ProjectId, exposures: Sequence[tuple[UUID, Exposure]]
) -> None:
    """Note what was served to a session."""
    rows = [
        {
            "project_id": project_id,
            "id": exposure.id,
            "block_id": block_id,
            "session_id": exposure.session_id,
            "version": exposure.skill_version,
            "rank": exposure.rank,
            "distance": exposure.distance,
            "served_at": exposure.served_at,
        }
        for block_id, exposure in exposures
    ]
    if rows:
        await tx.execute(insert(ExposureRow), rows)


async def exposures(
    tx: Tx, project_id: ProjectId, block_id: UUID, limit: int
) -> Sequence[Exposure]:
    """Read where a skill was served, newest first, and how later tasks there ended."""
    row, ended = ExposureRow, OutcomeRow

    def count(status: str) -> Any:
        return (
            select(func.count())
            .where(
                ended.project_id == project_id,
                ended.session_id == row.session_id,
                ended.ended_at > row.served_at,
                ended.status == status,
            )
            .correlate(row)
            .scalar_subquery()
        )

    found = await tx.execute(
        select(
            *row.__table__.c, count("success").label("succeeded"), count("failed").label("failed")
        )
        .where(row.project_id == project_id, row.block_id == block_id)
        .order_by(row.id.desc())
        .limit(limit)
    )
    return [_exposure(one) for one in found]


def _exposure(row: Any) -> Exposure:
    return Exposure(
        id=row.id,
        session_id=row.session_id,
        skill_version=row.version,
        rank=row.rank,
        distance=row.distance,
        served_at=row.served_at,
        succeeded=row.succeeded,
        failed=row.failed,
    )


async def served_to(tx: Tx, project_id: ProjectId, session_id: UUID) -> Sequence[Sop]:
    """Read the versions of skills that a session was given."""
    row, said = ExposureRow, VersionRow
    found = await tx.execute(
        select(said.sop)
        .distinct()
        .join(row, (row.block_id == said.block_id) & (row.version == said.version))
        .where(
            said.project_id == project_id,
            row.project_id == project_id,
            row.session_id == session_id,
        )
    )
    return [sop_of(one.sop) for one in found]


async def has_exposures(tx: Tx, project_id: ProjectId, session_id: UUID) -> bool:
    """Say whether a session was served anything."""
    row = ExposureRow
    found = select(row.id).where(row.project_id == project_id, row.session_id == session_id)
    return (await tx.execute(found.limit(1))).scalar() is not None


async def keep_outcome(
    tx: Tx,
    project_id: ProjectId,
    *,
    session_id: UUID,
    task_id: UUID,
    status: str,
    ended_at: datetime,
) -> None:
    """Keep how a task ended; the latest word counts."""
    key = {"project_id": project_id, "session_id": session_id, "task_id": task_id}
    ended = {"status": status, "ended_at": ended_at}
    await tx.execute(
        upsert(OutcomeRow)
        .values({**key, **ended})
        .on_conflict_do_update(constraint="outcome_pkey", set_=ended)
    )


async def insert_confirmation(
    tx: Tx, project_id: ProjectId, space_id: UUID, confirmation: Confirmation
) -> None:
    """Let a lesson wait for a person."""
    source = confirmation.source
    row = {
        "project_id": project_id,
        "id": confirmation.id,
        "space_id": space_id,
        "task_id": source.task_id if source else None,
        "session_id": source.session_id if source else None,
        "message_ids": list(source.message_ids) if source else [],
        "run_id": source.run_id if source else None,
        "block_id": confirmation.skill_id,
        "sop": sop_json(confirmation.sop),
        "written_by": confirmation.written_by,
        "difficulty": _difficulty_json(confirmation.difficulty),
        "created_at": confirmation.created_at,
        "updated_at": confirmation.created_at,
    }
    await tx.execute(insert(ConfirmationRow).values(row))


async def list_confirmations(
    tx: Tx,
    project_id: ProjectId,
    space_id: UUID,
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[Confirmation]:
    """Read a page of what waits, and one more."""
    row = ConfirmationRow
    statement = select(*row.__table__.c).where(
        row.project_id == project_id, row.space_id == space_id
    )
    paged = by_time(
        statement, row.created_at, row.id, after=after, descending=descending, limit=limit
    )
    return [_confirmation(one) for one in await tx.execute(paged)]


async def find_confirmation(
    tx: Tx, project_id: ProjectId, space_id: UUID, confirmation_id: UUID
) -> Confirmation | None:
    """Read what waits."""
    row = ConfirmationRow
    found = await tx.execute(
        select(*row.__table__.c).where(
            row.project_id == project_id, row.space_id == space_id, row.id == confirmation_id
        )
    )
    one = found.one_or_none()
    return _confirmation(one) if one else None


async def take_confirmation(
    tx: Tx, project_id: ProjectId, space_id: UUID, confirmation_id: UUID
) -> Confirmation | None:
    """Remove what waits and return it, to exactly one caller."""
    row = ConfirmationRow
    taken = (
        delete(row)
        .where(row.project_id == project_id, row.space_id == space_id, row.id == confirmation_id)
        .returning(*row.__table__.c)
    )
    found = (await tx.execute(taken)).one_or_none()
    return _confirmation(found) if found else None


async def sops_waiting(tx: Tx, project_id: ProjectId, space_id: UUID) -> Sequence[Sop]:
    """Read the lessons that wait in a space."""
    row = ConfirmationRow
    found = select(row.sop).where(row.project_id == project_id, row.space_id == space_id)
    return [sop_of(sop) for sop in (await tx.execute(found)).scalars()]


async def know_tools(tx: Tx, project_id: ProjectId, names: Collection[str]) -> None:
    """Let the project know tools; a name that differs in case only is known already."""
    rows = [
        {"project_id": project_id, "folded": folded, "name": name}
        for folded, name in sorted({fold(name): name for name in names}.items())
    ]
    if rows:
        await tx.execute(upsert(ToolNameRow).values(rows).on_conflict_do_nothing())


async def tool_names(tx: Tx, project_id: ProjectId) -> Sequence[tuple[str, int]]:
    """Read the project's tools by name, with the steps that call each."""
    step = func.jsonb_array_elements(BlockRow.props["tool_sops"]).table_valued("value")
    folded = func.lower(func.jsonb_extract_path_text(step.c.value, "tool_name"))
    used = (
        select(folded.label("folded"), func.count().label("steps"))
        .select_from(BlockRow)
        .join(step, literal(True))
        .where(
            BlockRow.project_id == project_id,
            BlockRow.type == BlockType.SOP,
            BlockRow.archived.is_(False),
        )
        .group_by("folded")
        .subquery()
    )
    row = ToolNameRow
    found = await tx.execute(
        select(row.name, func.coalesce(used.c.steps, 0))
        .outerjoin(used, used.c.folded == row.folded)
        .where(row.project_id == project_id)
        .order_by(row.name)
    )
    return [(name, steps) for name, steps in found]


async def known_tools(tx: Tx, project_id: ProjectId, folded: Collection[str]) -> Mapping[str, str]:
    """Read how some tools are written, by folded name."""
    row = ToolNameRow
    found = select(row.folded, row.name).where(row.project_id == project_id, row.folded.in_(folded))
    return {row.folded: row.name for row in await tx.execute(found)}


async def forget_tools(tx: Tx, project_id: ProjectId, folded: Collection[str]) -> None:
    """Forget tools."""
    row = ToolNameRow
    await tx.execute(delete(row).where(row.project_id == project_id, row.folded.in_(folded)))


async def rename_in_versions(
    tx: Tx, project_id: ProjectId, block_ids: Collection[UUID], names: Mapping[str, str]
) -> None:
    """Rename tools in all that some skills have said, so that going back stays possible."""
    row = VersionRow
    found = await tx.execute(
        select(row.block_id, row.version, row.sop).where(
            row.project_id == project_id, row.block_id.in_(block_ids)
        )
    )
    for one in found.all():
        sop = renamed(sop_of(one.sop), names)
        changed = update(row).where(
            row.project_id == project_id, row.block_id == one.block_id, row.version == one.version
        )
        await tx.execute(changed.values(sop=sop_json(sop)))


def renamed(sop: Sop, names: Mapping[str, str]) -> Sop:
    """Put other tool names into a sop, by folded name."""
    steps = (
        replace(step, tool_name=names.get(fold(step.tool_name), step.tool_name))
        for step in sop.steps
    )
    return replace(sop, steps=tuple(steps))


def fold(name: str) -> str:
    """Make names that are one equal."""
    return name.strip().lower()


async def forget_session(tx: Tx, project_id: ProjectId, session_id: UUID) -> None:
    """Remove what points into a session that is gone; what was learned from it stays."""
    for row in (SourceRow, ExposureRow, OutcomeRow, ConfirmationRow):
        await tx.execute(
            delete(row).where(row.project_id == project_id, row.session_id == session_id)
        )


def sop_json(sop: Sop) -> dict[str, Any]:
    """Write a sop as JSON."""
    steps = [{"tool_name": step.tool_name, "action": step.action} for step in sop.steps]
    return {"use_when": sop.use_when, "preferences": sop.preferences, "tool_sops": steps}


def sop_of(json: Mapping[str, Any]) -> Sop:
    """Read a sop that sop_json wrote."""
    steps = (Step(step["tool_name"], step["action"]) for step in json["tool_sops"])
    return Sop(json["use_when"], json["preferences"], tuple(steps))


def _difficulty_json(difficulty: Difficulty) -> dict[str, Any]:
    return {reason.value: list(where) for reason, where in difficulty.evidence.items()}


def _difficulty_of(json: Mapping[str, Any]) -> Difficulty:
    return Difficulty({Reason(reason): tuple(where) for reason, where in json.items()})


def _version(row: Row[Any], sources: Sequence[Source]) -> Version:
    return Version(
        version=row.version,
        sop=sop_of(row.sop),
        written_by=row.written_by,
        change=row.change,
        difficulty=_difficulty_of(row.difficulty),
        sources=tuple(sources),
        created_at=row.created_at,
    )


def _confirmation(row: Row[Any]) -> Confirmation:
    source = (
        Source(row.task_id, row.session_id, tuple(row.message_ids), row.run_id)
        if row.task_id
        else None
    )
    return Confirmation(
        id=row.id,
        space_id=row.space_id,
        sop=sop_of(row.sop),
        written_by=row.written_by,
        difficulty=_difficulty_of(row.difficulty),
        source=source,
        skill_id=row.block_id,
        created_at=row.created_at,
    )
