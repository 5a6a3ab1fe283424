"""What session asks others."""

from dataclasses import dataclass

import grpc
from grpc import aio

from acontext.space import v1 as pb
from acontext_server.kit.auth import Signer
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc import peer_errors
from acontext_server.kit.rpc.clients import PEER_SECONDS
from acontext_server.session.domain import SpaceId


@dataclass(frozen=True, slots=True)
class Spaces:
    """The service that owns spaces."""

    channel: aio.Channel
    signer: Signer

    async def exists(self, project_id: ProjectId, space_id: SpaceId) -> bool:
        """Ask whether there is a space of this id in the project."""
        request = pb.GetSpaceRequest(space_id=str(space_id))
        try:
            with peer_errors("space"):
                await pb.SpaceServiceStub(self.channel).GetSpace(
                    request, metadata=self.signer.metadata(project_id), timeout=PEER_SECONDS
                )
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return False
            raise
        return True
