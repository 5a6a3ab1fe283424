"""What a project's skills count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from acontext_server.kit.database import Tx
from acontext_server.kit.days import Days
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.paging import by_time
from acontext_server.space.domain.blocks import BlockType
from acontext_server.space.domain.skills import SkillDay, SkillStatistics, SkillUse
from acontext_server.space.store.tables import (
    BlockRow,
    ConfirmationRow,
    ExposureRow,
    SpaceRow,
    VersionRow,
)

FIRST = 1
"""The version with which a skill was learned."""


async def count(tx: Tx, project_id: ProjectId, days: Days) -> SkillStatistics:
    """Count a project's skills, and what was learned and served on each day."""
    version = VersionRow
    written = version.project_id == project_id
    learned = await _per_day(tx, days, version.created_at, written, version.version == FIRST)
    improved = await _per_day(tx, days, version.created_at, written, version.version > FIRST)
    served = await _per_day(tx, days, ExposureRow.served_at, ExposureRow.project_id == project_id)
    skill = (BlockRow.project_id == project_id, BlockRow.type == BlockType.SOP)
    return SkillStatistics(
        days=[
            SkillDay(
                date=date,
                learned=learned.get(date, 0),
                improved=improved.get(date, 0),
                served=served.get(date, 0),
            )
            for date in days.dates
        ],
        spaces=await _count(tx, SpaceRow.project_id == project_id),
        skills=await _count(tx, *skill, BlockRow.archived.is_(False)),
        archived=await _count(tx, *skill, BlockRow.archived.is_(True)),
        confirmations=await _count(tx, ConfirmationRow.project_id == project_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFilter:
    """Which uses of skills a list shows; what is None or empty leaves none out."""

    kind: str = ""
    used_after: datetime | None = None
    used_before: datetime | None = None


async def list_uses(
    tx: Tx,
    project_id: ProjectId,
    which: UseFilter,
    *,
    after: tuple[datetime, UUID] | None,
    descending: bool,
    limit: int,
) -> Sequence[SkillUse]:
    """Page through when skills were learned, improved and served, and one more."""
    block, version, exposure = BlockRow, VersionRow, ExposureRow
    kind = case((version.version == FIRST, "learned"), else_="improved").label("kind")
    written = select(
        kind,
        version.block_id.label("id"),
        version.block_id.label("skill_id"),
        version.version,
        null().cast(Uuid).label("session_id"),
        version.created_at.label("used_at"),
    ).where(version.project_id == project_id)
    served = select(
        literal("served").label("kind"),
        exposure.id,
        exposure.block_id.label("skill_id"),
        exposure.version,
        exposure.session_id,
        exposure.served_at.label("used_at"),
    ).where(exposure.project_id == project_id)
    use = union_all(written, served).subquery("use").c
    query = select(*use, block.space_id, block.title).join(
        block, and_(block.project_id == project_id, block.id == use.skill_id)
    )
    if which.kind:
        query = query.where(use.kind == which.kind)
    if which.used_after:
        query = query.where(use.used_at >= which.used_after)
    if which.used_before:
        query = query.where(use.used_at < which.used_before)
    paged = by_time(query, use.used_at, use.id, after=after, descending=descending, limit=limit)
    return [SkillUse(**row._mapping) for row in await tx.execute(paged)]


async def _count(tx: Tx, *conditions: ColumnElement[bool]) -> int:
    return (await tx.execute(select(func.count()).where(*conditions))).scalar_one()


async def _per_day(
    tx: Tx, days: Days, at: Any, *conditions: ColumnElement[bool]
) -> Mapping[str, int]:
    day = cast(func.timezone(days.time_zone, at), Date)
    since: datetime = days.since
    query = select(day, func.count()).where(*conditions, at >= since).group_by(day)
    return {row[0].isoformat(): row[1] for row in await tx.execute(query)}
