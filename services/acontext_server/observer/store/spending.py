"""What models took, run by run, and what that makes of a month."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.domain import RoleUse, Spending
from acontext_server.observer.store.tables import SpendingRow

_row = SpendingRow


async def add(tx: Tx, spending: Spending) -> None:
    """Keep what a run took; telling it twice counts once."""
    values = {
        "project_id": spending.project_id,
        "run_id": spending.run_id,
        "month": spending.month,
        "role": spending.role,
        "input_tokens": spending.input_tokens,
        "output_tokens": spending.output_tokens,
        "cost": spending.cost,
    }
    await tx.execute(insert(_row).values(values).on_conflict_do_nothing())


async def of_month(tx: Tx, project_id: ProjectId, month: date) -> Sequence[RoleUse]:
    """Add up a month by role."""
    statement = (
        select(
            _row.role,
            func.count(),
            func.sum(_row.input_tokens),
            func.sum(_row.output_tokens),
            func.sum(_row.cost),
        )
        .where(_row.project_id == project_id, _row.month == month)
        .group_by(_row.role)
        .order_by(_row.role)
    )
    return [
        RoleUse(role=role, runs=runs, input_tokens=told, output_tokens=said, cost=cost)
        for role, runs, told, said, cost in await tx.execute(statement)
    ]


async def biggest_spenders(tx: Tx, month: date, *, limit: int) -> Sequence[ProjectId]:
    """Name the projects whose models took most in a month."""
    took = func.sum(_row.input_tokens + _row.output_tokens)
    statement = (
        select(_row.project_id)
        .where(_row.month == month)
        .group_by(_row.project_id)
        .order_by(took.desc(), _row.project_id)
        .limit(limit)
    )
    return [ProjectId(one) for one in await tx.scalars(statement)]


async def forget_project(tx: Tx, project_id: ProjectId) -> None:
    """Forget what a project's models took."""
    await tx.execute(delete(_row).where(_row.project_id == project_id))
