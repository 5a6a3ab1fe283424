"""A project's view of the gateway: one channel, the public stubs, a few calls put together."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode, aio

from acontext.disk import v1 as disk
from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space

_LARGEST_ANSWER_BYTES = 64 * 2**20
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a conversation's messages."""

    kept: int
    refused: Sequence[str]
    """Why, for each message that was refused."""


class Gateway:
    """Everything that the demo asks of a running Acontext."""

    def __init__(self, channel: aio.Channel, key: str) -> None:
        self.as_project = (("authorization", f"Bearer {key}"),)
        self.projects = session.ProjectServiceStub(channel)
        self.sessions = session.SessionServiceStub(channel)
        self.disks = disk.DiskServiceStub(channel)
        self.tasks = observer.TaskServiceStub(channel)
        self.runs = observer.RunServiceStub(channel)
        self.spaces = space.SpaceServiceStub(channel)
        self.skills = space.SkillServiceStub(channel)

    async def create_space(self) -> str:
        """Make a space and give its id."""
        request = space.CreateSpaceRequest(request_id=str(uuid4()))
        made = await self.spaces.CreateSpace(request, metadata=self.as_project)
        return made.space.id

    async def create_session(self, space_id: str) -> str:
        """Make a session that the space learns from and give its id."""
        request = session.CreateSessionRequest(space_id=space_id, request_id=str(uuid4()))
        made = await self.sessions.CreateSession(request, metadata=self.as_project)
        return made.session.id

    async def store(self, session_id: str, blobs: Iterable[bytes]) -> Stored:
        """Append OpenAI messages through one stream; on a refusal, one by one."""
        requests = [
            session.StoreMessageRequest(
                session_id=session_id, format="openai", blob_json=blob, request_id=str(uuid4())
            )
            for blob in blobs
        ]
        try:
            return Stored(await self._store_stream(requests), [])
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.INVALID_ARGUMENT:
                raise
        # Their request ids make it safe to send again those that the stream had stored.
        return await self._store_each(requests)

    async def _store_stream(self, requests: Sequence[session.StoreMessageRequest]) -> int:
        stream = (session.StoreMessagesRequest(message=request) for request in requests)
        answer = await self.sessions.StoreMessages(stream, metadata=self.as_project)
        return answer.count

    async def _store_each(self, requests: Sequence[session.StoreMessageRequest]) -> Stored:
        refused: list[str] = []
        for request in requests:
            try:
                await self.sessions.StoreMessage(request, metadata=self.as_project)
            except aio.AioRpcError as error:
                if error.code() is not StatusCode.INVALID_ARGUMENT:
                    raise
                refused.append(error.details() or "refused")
        return Stored(len(requests) - len(refused), refused)

    async def flush(self, session_id: str) -> observer.FlushSessionResponse:
        """Have everything observed; an answer of 504 means that it goes on, so ask again."""
        request = observer.FlushSessionRequest(session_id=session_id)
        while True:
            answer = await self.tasks.FlushSession(request, metadata=self.as_project)
            if answer.status != 504:
                return answer

    async def observed(self, session_id: str) -> observer.GetObservingStatusResponse:
        """Count a session's messages by how far they are observed."""
        request = observer.GetObservingStatusRequest(session_id=session_id)
        return await self.tasks.GetObservingStatus(request, metadata=self.as_project)

    async def list_tasks(self, session_id: str) -> Sequence[observer.Task]:
        """Give all tasks of a session, in order."""
        request = observer.ListTasksRequest(session_id=session_id, limit=_PAGE)
        tasks: list[observer.Task] = []
        while True:
            page = await self.tasks.ListTasks(request, metadata=self.as_project)
            tasks.extend(page.items)
            if not page.has_more:
                return tasks
            request.cursor = page.next_cursor

    async def learning(self, session_id: str) -> observer.GetLearningStatusResponse:
        """Count successful tasks by whether the space has dealt with them."""
        request = observer.GetLearningStatusRequest(session_id=session_id)
        return await self.tasks.GetLearningStatus(request, metadata=self.as_project)

    async def wait_until_learned(self, session_ids: Sequence[str], *, patience: float) -> int:
        """Wait until the space has dealt with every successful task; give how many are left.

        Gives up on what has failed, and when `patience` seconds pass without progress.
        """
        waiting, left, failed = list(session_ids), 0, 0
        best, since = len(waiting) + 1_000_000, time.monotonic()
        while waiting:
            found = [(one, await self.learning(one)) for one in waiting]
            waiting = [one for one, at in found if at.not_space_digested_count > at.failed_count]
            failed += sum(at.failed_count for one, at in found if one not in waiting)
            left = failed + sum(at.not_space_digested_count for one, at in found if one in waiting)
            if left < best:
                best, since = left, time.monotonic()
            if time.monotonic() - since > patience:
                break
            await asyncio.sleep(0.2 if waiting else 0)
        return left

    async def list_skills(self, space_id: str) -> Sequence[space.Skill]:
        """Give all skills of a space."""
        request = space.ListSkillsRequest(space_id=space_id, limit=_PAGE)
        skills: list[space.Skill] = []
        while True:
            page = await self.skills.ListSkills(request, metadata=self.as_project)
            skills.extend(page.items)
            if not page.has_more:
                return skills
            request.cursor = page.next_cursor

    async def skill(self, skill_id: str) -> space.GetSkillResponse:
        """Give a skill with its history."""
        request = space.GetSkillRequest(skill_id=skill_id)
        return await self.skills.GetSkill(request, metadata=self.as_project)

    async def search(
        self, space_id: str, query: str, *, limit: int = 3, mode: str = "fast"
    ) -> Sequence[space.CitedBlock]:
        """Find the skills that fit; none is an answer."""
        request = space.SearchSkillsRequest(
            space_id=space_id, query=query[:32768], limit=limit, mode=mode
        )
        answer = await self.skills.SearchSkills(request, metadata=self.as_project)
        return answer.cited_blocks

    async def keep_file(self, file_path: str, content: bytes) -> str:
        """Store an artifact on a new disk and give the URL under which it opens without a key."""
        made = await self.disks.CreateDisk(disk.CreateDiskRequest(), metadata=self.as_project)
        meta = Struct()
        meta.update({"written_by": "demo"})
        head = disk.UploadHead(disk_id=made.disk.id, file_path=file_path, meta=meta)
        parts = [disk.UploadArtifactRequest(head=head), disk.UploadArtifactRequest(chunk=content)]
        await self.disks.UploadArtifact(iter(parts), metadata=self.as_project)
        request = disk.GetArtifactRequest(disk_id=made.disk.id, file_path=file_path)
        artifact = await self.disks.GetArtifact(request, metadata=self.as_project)
        return artifact.public_url


@asynccontextmanager
async def open_gateway(address: str, key: str) -> AsyncIterator[Gateway]:
    """Open a channel to `host:port`."""
    options = [("grpc.max_receive_message_length", _LARGEST_ANSWER_BYTES)]
    async with aio.insecure_channel(address, options=options) as channel:
        yield Gateway(channel, key)
