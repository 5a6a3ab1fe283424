"""Whom sessions, disks and spaces belong to."""

from collections.abc import AsyncIterator, Awaitable

from ..session import v1 as pb
from ..types.common import Page, page_of
from ..types.user import GetUserResourcesOutput, User
from .connection import AsyncResource, every_page


class AsyncUsersAPI(AsyncResource):
    """The people or agents that a project serves, by identifiers of your own."""

    async def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        time_desc: bool | None = None,
    ) -> Page[User]:
        """Return every user, or a page of up to 200."""
        request = pb.ListUsersRequest(limit=limit, cursor=cursor, time_desc=bool(time_desc))
        answer = await self._connection.call(self._stubs.projects.ListUsers, request)
        return page_of(User, answer)

    def list_all(self, *, time_desc: bool | None = None) -> AsyncIterator[User]:
        """Go through every user, page by page."""

        def ask(cursor: str | None) -> Awaitable[Page[User]]:
            return self.list(limit=200, cursor=cursor, time_desc=time_desc)

        return every_page(ask)

    async def get_resources(self, identifier: str) -> GetUserResourcesOutput:
        """Count what belongs to a user. UserNotFound if there is none."""
        request = pb.GetUserResourcesRequest(identifier=identifier)
        answer = await self._connection.call(self._stubs.projects.GetUserResources, request)
        return GetUserResourcesOutput.of(answer)

    async def delete(self, identifier: str) -> None:
        """Remove a user with all sessions, disks and spaces that are its own.

        DeletionInProgress when services are not done within 25 s; it goes on all the same.
        """
        request = pb.DeleteUserRequest(identifier=identifier)
        await self._connection.call(self._stubs.projects.DeleteUser, request)
