"""Keys and users, asked of session, which owns them."""

from typing import Any
from uuid import UUID

import grpc
from grpc import aio

from acontext.session import v1 as session
from acontext_server.kit.auth import Signer
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.rpc.clients import PEER_SECONDS, peer_errors


class Identities:
    """Whose a key is, and which user is meant, as the other services ask it."""

    def __init__(self, channel: aio.Channel, signer: Signer) -> None:
        self._projects = session.ProjectServiceStub(channel)
        self._signer = signer

    async def resolve_key(self, secret: str) -> ProjectId | None:
        """Say whose a key is, if anybody's."""
        request = session.ResolveKeyRequest(secret=secret)
        with peer_errors("session"):
            try:
                found = await self._projects.ResolveKey(request, **self._call(NOBODY))
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    return None
                raise
        return ProjectId(UUID(found.project_id))

    async def ensure_user(self, project_id: ProjectId, identifier: str) -> UUID:
        """Give a user's id; the user is made on first sight."""
        request = session.EnsureUserRequest(identifier=identifier)
        with peer_errors("session", words_of_caller=True):
            found = await self._projects.EnsureUser(request, **self._call(project_id))
        return UUID(found.user.id)

    async def find_user(self, project_id: ProjectId, identifier: str) -> UUID | None:
        """Give a user's id, if there is one."""
        request = session.FindUserRequest(identifier=identifier)
        with peer_errors("session", words_of_caller=True):
            found = await self._projects.FindUser(request, **self._call(project_id))
        return UUID(found.user.id) if found.HasField("user") else None

    def _call(self, project_id: ProjectId) -> dict[str, Any]:
        return {"metadata": self._signer.metadata(project_id), "timeout": PEER_SECONDS}
