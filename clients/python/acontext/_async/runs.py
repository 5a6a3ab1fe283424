"""What observing and learning did."""

from collections.abc import AsyncIterator, Awaitable

from ..observer import v1 as observer
from ..space import v1 as space
from ..types.common import Page, page_of
from ..types.run import Run, TokenUse
from .connection import AsyncResource, every_page


class AsyncRunsAPI(AsyncResource):
    """Runs of Acontext's own agents: engine, rounds, tokens, cost, outcome."""

    async def list(
        self,
        *,
        session_id: str | None = None,
        outcome: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Run]:
        """Return a page of 1 to 200 runs (20) of observing, by time."""
        request = observer.ListRunsRequest(
            session_id=session_id,
            outcome=outcome,
            limit=limit,
            cursor=cursor,
            time_desc=bool(time_desc),
        )
        answer = await self._connection.call(self._stubs.runs.ListRuns, request)
        return page_of(Run, answer)

    def list_all(
        self,
        *,
        session_id: str | None = None,
        outcome: str | None = None,
        time_desc: bool | None = None,
    ) -> AsyncIterator[Run]:
        """Go through every run of observing, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Run]]:
            return self.list(
                session_id=session_id,
                outcome=outcome,
                limit=200,
                cursor=cursor,
                time_desc=time_desc,
            )

        return every_page(ask)

    async def get(self, run_id: str) -> Run:
        """Return one run of observing. RunNotFound if there is none."""
        request = observer.GetRunRequest(run_id=run_id)
        answer = await self._connection.call(self._stubs.runs.GetRun, request)
        return Run.of(answer.run)

    async def get_token_use(self, *, month: str | None = None) -> TokenUse:
        """Say what models took of a month's budget, such as `2026-11` (this one)."""
        request = observer.GetTokenUseRequest(month=month)
        answer = await self._connection.call(self._stubs.runs.GetTokenUse, request)
        return TokenUse.of(answer.token_use)

    async def list_learning(
        self,
        *,
        space_id: str | None = None,
        session_id: str | None = None,
        role: str | None = None,
        outcome: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Run]:
        """Return a page of 1 to 200 runs (20) of learning and agentic searching, by time."""
        request = space.ListLearningRunsRequest(
            space_id=space_id,
            session_id=session_id,
            role=role,
            outcome=outcome,
            limit=limit,
            cursor=cursor,
            time_desc=bool(time_desc),
        )
        answer = await self._connection.call(self._stubs.skills.ListLearningRuns, request)
        return page_of(Run, answer)

    async def get_learning(self, run_id: str) -> Run:
        """Return one run of learning or agentic searching. RunNotFound if there is none."""
        request = space.GetLearningRunRequest(run_id=run_id)
        answer = await self._connection.call(self._stubs.skills.GetLearningRun, request)
        return Run.of(answer.run)
