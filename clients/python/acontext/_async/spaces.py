"""Spaces: where sessions are learned."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from typing import Any

from .._model import struct_of
from ..space import v1 as pb
from ..types.common import Page, page_of
from ..types.skill import Sop
from ..types.space import (
    ExperienceConfirmation,
    ExportedFile,
    SearchThreshold,
    Space,
    SpaceSearchResult,
)
from .connection import AsyncConnection, AsyncResource, every_page, new_request_id
from .skills import AsyncSkillsAPI, search_skills, skills_text, sop_message


class AsyncSpacesAPI(AsyncResource):
    """Spaces: trees of folders and pages that hold what was learned."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.skills = AsyncSkillsAPI(connection)

    async def create(
        self, *, user: str | None = None, configs: Mapping[str, Any] | None = None
    ) -> Space:
        """Make an empty space; `learning` in its configs overrides the project's settings."""
        request = pb.CreateSpaceRequest(
            user=user, configs=struct_of(configs), request_id=new_request_id()
        )
        answer = await self._connection.call(self._stubs.spaces.CreateSpace, request)
        return Space.of(answer.space)

    async def get(self, space_id: str) -> Space:
        """Return a space without its blocks. SpaceNotFound if there is none."""
        request = pb.GetSpaceRequest(space_id=space_id)
        answer = await self._connection.call(self._stubs.spaces.GetSpace, request)
        return Space.of(answer.space)

    get_configs = get

    async def list(
        self,
        *,
        user: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[Space]:
        """Return a page of 1 to 200 spaces (20) by creation time."""
        request = pb.ListSpacesRequest(
            user=user, limit=limit, cursor=cursor, time_desc=bool(time_desc)
        )
        answer = await self._connection.call(self._stubs.spaces.ListSpaces, request)
        return page_of(Space, answer)

    def list_all(
        self, *, user: str | None = None, time_desc: bool | None = None
    ) -> AsyncIterator[Space]:
        """Go through every space, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[Space]]:
            return self.list(user=user, limit=200, cursor=cursor, time_desc=time_desc)

        return every_page(ask)

    async def delete(self, space_id: str) -> None:
        """Remove a space with blocks, skills and confirmations; its sessions live on."""
        request = pb.DeleteSpaceRequest(space_id=space_id)
        await self._connection.call(self._stubs.spaces.DeleteSpace, request)

    async def update_configs(self, space_id: str, *, configs: Mapping[str, Any]) -> None:
        """Replace the whole configs."""
        request = pb.UpdateSpaceConfigsRequest(space_id=space_id, configs=struct_of(configs))
        await self._connection.call(self._stubs.spaces.UpdateSpaceConfigs, request)

    async def experience_search(
        self,
        space_id: str,
        *,
        query: str,
        limit: int | None = None,
        mode: str | None = None,
        semantic_threshold: float | None = None,
        max_iterations: int | None = None,
        session_id: str | None = None,
        tool_name: str | None = None,
        page_id: str | None = None,
    ) -> SpaceSearchResult:
        """Find 1 to 50 skills (10) that fit, best first; none is an answer too.

        `semantic_threshold` is the cosine distance, 0 to 2, above which nothing is answered. With a
        `session_id` it is noted what was served there. Mode `agentic` needs a model: ModelRequired
        without one.
        """
        request = pb.SearchSkillsRequest(
            space_id=space_id,
            query=query,
            limit=limit,
            mode=mode,
            semantic_threshold=semantic_threshold,
            max_iterations=max_iterations,
            session_id=session_id,
            tool_name=tool_name,
            page_id=page_id,
        )
        return await search_skills(self._connection, request)

    async def get_search_threshold(self, space_id: str) -> SearchThreshold:
        """Say up to which distance a fast search answers, and who set that.

        A search with a `semantic_threshold` of its own goes by that one. SpaceNotFound if there is
        no such space.
        """
        request = pb.GetSearchThresholdRequest(space_id=space_id)
        answer = await self._connection.call(self._stubs.skills.GetSearchThreshold, request)
        return SearchThreshold.of(answer)

    async def skills_prompt(
        self,
        space_id: str,
        query: str,
        *,
        limit: int = 3,
        session_id: str | None = None,
    ) -> str:
        """Return found skills as quoted data for a prompt; empty when nothing is relevant."""
        found = await self.experience_search(
            space_id, query=query, limit=limit, session_id=session_id
        )
        return skills_text(found)

    async def get_unconfirmed_experiences(
        self,
        space_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[ExperienceConfirmation]:
        """Return a page of 1 to 200 skills (20) that wait for a person."""
        request = pb.ListConfirmationsRequest(
            space_id=space_id, limit=limit, cursor=cursor, time_desc=bool(time_desc)
        )
        answer = await self._connection.call(self._stubs.skills.ListConfirmations, request)
        return page_of(ExperienceConfirmation, answer)

    async def confirm_experience(
        self, space_id: str, experience_id: str, *, save: bool, edited: Sop | None = None
    ) -> ExperienceConfirmation | None:
        """Learn what waits, as it is or `edited`, or discard it; once.

        Returns what was learned, None when it was discarded. ConfirmationNotFound the second time.
        """
        request = pb.ResolveConfirmationRequest(
            space_id=space_id,
            confirmation_id=experience_id,
            save=save,
            edited=None if edited is None else sop_message(edited),
        )
        answer = await self._connection.call(self._stubs.skills.ResolveConfirmation, request)
        kept = answer.HasField("confirmation")
        return ExperienceConfirmation.of(answer.confirmation) if kept else None

    async def export(self, space_id: str) -> AsyncGenerator[ExportedFile, None]:
        """Receive the space's skills, each as one `SKILL.md`."""
        request = pb.ExportSpaceRequest(space_id=space_id)
        async for answer in self._connection.stream(self._stubs.spaces.ExportSpace, request):
            yield ExportedFile.of(answer)
