"""The month's token budget: what models took, and whether they pause.

What a run took is known when it has ended. So the runs that are under way when a budget is used up
come to their end, and those of a process that is killed are not counted.
"""

import asyncio
from collections.abc import Sequence
from datetime import date

from acontext_server.kit.database import Tx
from acontext_server.kit.ids import ProjectId
from acontext_server.observer.app.means import Means
from acontext_server.observer.domain import (
    Run,
    Spending,
    TokenBudgetUsedUp,
    TokenUse,
    first_of_month,
)
from acontext_server.observer.peers import Sessions
from acontext_server.observer.store import spending

ROLE = "observer"
MOST_NAMED = 50


class Budget:
    """Counts what a project's models take, against what they may take."""

    def __init__(self, means: Means, sessions: Sessions, *, applies: bool) -> None:
        self._means = means
        self._sessions = sessions
        self._applies = applies

    async def check(self, project_id: ProjectId) -> None:
        """Let a model be asked, or raise TokenBudgetUsedUp."""
        budget = await self._sessions.token_budget(project_id) if self._applies else None
        if budget is None:
            return
        use = await self.use(project_id)
        if use.is_used_up:
            raise TokenBudgetUsedUp(use.month, budget)

    async def why_paused(self, project_id: ProjectId) -> str:
        """Say why models pause; empty when they do not."""
        try:
            await self.check(project_id)
        except TokenBudgetUsedUp as error:
            return error.message
        return ""

    async def pauses(self) -> Sequence[str]:
        """Say which projects' models pause, of those that took most this month."""
        if not self._applies:
            return []
        month = first_of_month(self._means.now())
        async with self._means.database.transaction() as tx:
            spenders = await spending.biggest_spenders(tx, month, limit=MOST_NAMED)
        whys = await asyncio.gather(*map(self.why_paused, spenders))
        return [
            f"models pause in project {project_id}: {why}."
            for project_id, why in zip(spenders, whys, strict=True)
            if why
        ]

    async def use(self, project_id: ProjectId, month: date | None = None) -> TokenUse:
        """Say what models took in a month, this one unless another is named."""
        month = month or first_of_month(self._means.now())
        budget = await self._sessions.token_budget(project_id)
        async with self._means.database.transaction() as tx:
            roles = await spending.of_month(tx, project_id, month)
        return TokenUse(month=month, budget=budget, applies=self._applies, roles=tuple(roles))

    async def count(self, spent: Spending) -> None:
        """Count what another service's run took, once however often it is told."""
        async with self._means.database.transaction() as tx:
            await spending.add(tx, spent)


async def count_run(tx: Tx, run: Run) -> None:
    """Count one of our own runs, in the transaction that keeps it."""
    if run.input_tokens or run.output_tokens:
        await spending.add(
            tx,
            Spending(
                project_id=run.project_id,
                run_id=run.id,
                role=ROLE,
                input_tokens=run.input_tokens,
                output_tokens=run.output_tokens,
                cost=run.cost,
                spent_at=run.created_at,
            ),
        )
