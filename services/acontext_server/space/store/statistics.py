"""What a project's skills count."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, select

from acontext_server.kit.database import Tx
from acontext_server.kit.days import Days
from acontext_server.kit.ids import ProjectId
from acontext_server.space.domain.blocks import BlockType
from acontext_server.space.domain.skills import SkillDay, SkillStatistics
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


async def _count(tx: Tx, *conditions: ColumnElement[bool]) -> int:
    return (await tx.execute(select(func.count()).where(*conditions))).scalar_one()


async def _per_day(
    tx: Tx, days: Days, at: Any, *conditions: ColumnElement[bool]
) -> Mapping[str, int]:
    day = cast(func.timezone(days.time_zone, at), Date)
    since: datetime = days.since
    query = select(day, func.count()).where(*conditions, at >= since).group_by(day)
    return {row[0].isoformat(): row[1] for row in await tx.execute(query)}
