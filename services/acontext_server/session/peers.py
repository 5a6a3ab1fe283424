"""What session asks others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import grpc
from grpc import aio

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.space import v1 as pb
from acontext_server.kit.auth import Signer
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.rpc import peer_errors
from acontext_server.kit.rpc.clients import PEER_SECONDS
from acontext_server.session.condensing import TaskNote
from acontext_server.session.domain import SessionId, SessionNotFound, SpaceId, TaskId, UserId

TASKS_AT_ONCE = 200


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

    async def count_of_user(self, project_id: ProjectId, user_id: UserId) -> int:
        """Ask how many spaces a user has."""
        request = pb.CountUserResourcesRequest(user_id=str(user_id))
        with peer_errors("space"):
            answer = await pb.SpaceServiceStub(self.channel).CountUserResources(
                request, metadata=self.signer.metadata(project_id), timeout=PEER_SECONDS
            )
        return answer.spaces_count


@dataclass(frozen=True, slots=True)
class Disks:
    """The service that owns disks."""

    channel: aio.Channel
    signer: Signer

    async def count_of_user(self, project_id: ProjectId, user_id: UserId) -> int:
        """Ask how many disks a user has."""
        request = disk.CountUserResourcesRequest(user_id=str(user_id))
        with peer_errors("disk"):
            answer = await disk.DiskServiceStub(self.channel).CountUserResources(
                request, metadata=self.signer.metadata(project_id), timeout=PEER_SECONDS
            )
        return answer.disks_count


@dataclass(frozen=True, slots=True)
class Tasks:
    """The service that owns tasks."""

    channel: aio.Channel
    signer: Signer

    async def of_session(self, project_id: ProjectId, session_id: SessionId) -> Sequence[TaskNote]:
        """Ask for all tasks of a session."""
        request = observer.ListTasksRequest(session_id=str(session_id), limit=TASKS_AT_ONCE)
        notes: list[TaskNote] = []
        while True:
            page = await self._page(project_id, request)
            notes += map(_note, page.items)
            if not page.has_more:
                return notes
            request.cursor = page.next_cursor

    async def _page(
        self, project_id: ProjectId, request: observer.ListTasksRequest
    ) -> observer.ListTasksResponse:
        try:
            with peer_errors("observer"):
                return await observer.TaskServiceStub(self.channel).ListTasks(
                    request, metadata=self.signer.metadata(project_id), timeout=PEER_SECONDS
                )
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:  # deleted in the meantime
                raise SessionNotFound(SessionId(UUID(request.session_id))) from error
            raise


def _note(task: observer.Task) -> TaskNote:
    return TaskNote(
        id=TaskId(UUID(task.id)),
        order=task.order,
        status=task.status,
        description=task.data.task_description,
        progresses=task.data.progresses,
        preferences=task.data.user_preferences,
    )


async def count_elsewhere(
    spaces: Spaces, disks: Disks, project_id: ProjectId, user_id: UserId
) -> tuple[int, int]:
    """Ask both at once how many spaces and disks a user has."""
    return await asyncio.gather(
        spaces.count_of_user(project_id, user_id), disks.count_of_user(project_id, user_id)
    )
