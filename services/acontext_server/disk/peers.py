"""What disk asks of session, in disk's own words."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import grpc
from grpc import aio

from acontext.session import v1 as session
from acontext_server.disk.domain import UserId
from acontext_server.kit.auth import Signer
from acontext_server.kit.ids import NOBODY, ProjectId
from acontext_server.kit.rpc import peer_errors

SECONDS = 10.0


class Session:
    """The owner of keys and users."""

    def __init__(self, channel: aio.Channel, signer: Signer) -> None:
        self._projects = session.ProjectServiceStub(channel)
        self._signer = signer

    async def resolve_key(self, secret: str) -> ProjectId | None:
        """Ask whose a key is."""
        request = session.ResolveKeyRequest(secret=secret)
        with peer_errors("session"):
            try:
                found = await self._projects.ResolveKey(request, **self._call(NOBODY))
            except aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    return None
                raise
        return ProjectId(UUID(found.project_id))

    async def ensure(self, project_id: ProjectId, identifier: str) -> UserId:
        """Give a user's id; the user is made on first sight."""
        request = session.EnsureUserRequest(identifier=identifier)
        with peer_errors("session", words_of_caller=True):
            found = await self._projects.EnsureUser(request, **self._call(project_id))
        return UserId(UUID(found.user.id))

    async def find(self, project_id: ProjectId, identifier: str) -> UserId | None:
        """Give a user's id, if there is one."""
        request = session.FindUserRequest(identifier=identifier)
        with peer_errors("session", words_of_caller=True):
            found = await self._projects.FindUser(request, **self._call(project_id))
        return UserId(UUID(found.user.id)) if found.HasField("user") else None

    def _call(self, project_id: ProjectId) -> dict[str, Any]:
        metadata: Sequence[tuple[str, str]] = self._signer.metadata(project_id)
        return {"metadata": metadata, "timeout": SECONDS}
