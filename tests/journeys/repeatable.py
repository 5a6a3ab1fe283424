"""Every RPC that takes a request id: how it is called, and how what it made is counted."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.message import Message
from grpc import aio

from acontext.disk import v1 as disk
from acontext.session import v1 as session
from acontext.space import v1 as space

if TYPE_CHECKING:
    from acontext.disk.v1.disk_service_pb2_grpc import DiskServiceAsyncStub
    from acontext.session.v1.project_service_pb2_grpc import ProjectServiceAsyncStub
    from acontext.session.v1.session_service_pb2_grpc import SessionServiceAsyncStub
    from acontext.space.v1.space_service_pb2_grpc import SpaceServiceAsyncStub

Metadata = tuple[tuple[str, str], ...]

BOUNDARY = "between-the-parts"


@dataclass(frozen=True)
class Surroundings:
    """A project's channels and keys, and where messages and blocks are put."""

    channel: Callable[[str], aio.Channel]
    key: Metadata
    operator: Metadata
    session_id: str = ""
    space_id: str = ""

    @property
    def sessions(self) -> "SessionServiceAsyncStub":
        return session.SessionServiceStub(self.channel("session"))

    @property
    def projects(self) -> "ProjectServiceAsyncStub":
        return session.ProjectServiceStub(self.channel("session"))

    @property
    def disks(self) -> "DiskServiceAsyncStub":
        return disk.DiskServiceStub(self.channel("disk"))

    @property
    def spaces(self) -> "SpaceServiceAsyncStub":
        return space.SpaceServiceStub(self.channel("space"))


async def furnished(empty: Surroundings) -> Surroundings:
    """Open a session, which nobody observes so that answers stay as they are, and a space."""
    opened = await empty.sessions.CreateSession(
        session.CreateSessionRequest(disable_task_tracking=True), metadata=empty.key
    )
    made = await empty.spaces.CreateSpace(space.CreateSpaceRequest(), metadata=empty.key)
    return Surroundings(empty.channel, empty.key, empty.operator, opened.session.id, made.space.id)


@dataclass(frozen=True)
class Repeatable:
    """Calls with a request id and a word that tells one request from another."""

    call: Callable[[Surroundings, str, str], Awaitable[Message]]
    made: Callable[[Surroundings, str], Awaitable[int]]
    """Counts what was made with a word."""


async def _create_project(at: Surroundings, request_id: str, word: str) -> Message:
    request = session.CreateProjectRequest(name=word, request_id=request_id)
    answer = await at.projects.CreateProject(request, metadata=at.operator)
    # The secret is shown once, as the contract says.
    answer.ClearField("secret")
    return answer


async def _projects(at: Surroundings, word: str) -> int:
    request = session.ListProjectsRequest(limit=200, time_desc=True)
    listed = await at.projects.ListProjects(request, metadata=at.operator)
    return sum(project.name == word for project in listed.items)


async def _create_session(at: Surroundings, request_id: str, word: str) -> Message:
    request = session.CreateSessionRequest(user=word, request_id=request_id)
    return await at.sessions.CreateSession(request, metadata=at.key)


async def _sessions(at: Surroundings, word: str) -> int:
    request = session.ListSessionsRequest(user=word)
    return len((await at.sessions.ListSessions(request, metadata=at.key)).items)


async def _create_disk(at: Surroundings, request_id: str, word: str) -> Message:
    request = disk.CreateDiskRequest(user=word, request_id=request_id)
    return await at.disks.CreateDisk(request, metadata=at.key)


async def _disks(at: Surroundings, word: str) -> int:
    listed = await at.disks.ListDisks(disk.ListDisksRequest(user=word), metadata=at.key)
    return len(listed.items)


async def _create_space(at: Surroundings, request_id: str, word: str) -> Message:
    request = space.CreateSpaceRequest(user=word, request_id=request_id)
    return await at.spaces.CreateSpace(request, metadata=at.key)


async def _spaces(at: Surroundings, word: str) -> int:
    listed = await at.spaces.ListSpaces(space.ListSpacesRequest(user=word), metadata=at.key)
    return len(listed.items)


async def _create_block(at: Surroundings, request_id: str, word: str) -> Message:
    request = space.CreateBlockRequest(
        space_id=at.space_id, type="page", title=word, request_id=request_id
    )
    return await at.spaces.CreateBlock(request, metadata=at.key)


async def _blocks(at: Surroundings, word: str) -> int:
    request = space.ListBlocksRequest(space_id=at.space_id)
    listed = await at.spaces.ListBlocks(request, metadata=at.key)
    return sum(block.title.startswith(word) for block in listed.items)


def _store_request(at: Surroundings, request_id: str, word: str) -> session.StoreMessageRequest:
    return session.StoreMessageRequest(
        session_id=at.session_id,
        blob_json=json.dumps({"role": "user", "content": word}).encode(),
        request_id=request_id,
    )


async def _store_message(at: Surroundings, request_id: str, word: str) -> Message:
    request = _store_request(at, request_id, word)
    return await at.sessions.StoreMessage(request, metadata=at.key)


async def _store_messages(at: Surroundings, request_id: str, word: str) -> Message:
    async def stream() -> AsyncIterator[session.StoreMessagesRequest]:
        yield session.StoreMessagesRequest(message=_store_request(at, request_id, word))

    return await at.sessions.StoreMessages(stream(), metadata=at.key)


def _payload(request_id: str, word: str) -> bytes:
    blob = {"role": "user", "content": word}
    return json.dumps({"format": "openai", "blob": blob, "request_id": request_id}).encode()


async def _store_message_json(at: Surroundings, request_id: str, word: str) -> Message:
    request = session.StoreMessageJsonRequest(session_id=at.session_id)
    request.body.content_type = "application/json"
    request.body.data = _payload(request_id, word)
    # google.api.HttpBody comes without types.
    answer: Message = await at.sessions.StoreMessageJson(request, metadata=at.key)
    return answer


async def _store_message_multipart(at: Surroundings, request_id: str, word: str) -> Message:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="payload"\r\n\r\n'.encode()
    body = head + _payload(request_id, word) + f"\r\n--{BOUNDARY}--\r\n".encode()

    async def stream() -> AsyncIterator[session.StoreMessageMultipartRequest]:
        piece = session.StoreMessageMultipartRequest(session_id=at.session_id)
        piece.body.content_type = f"multipart/form-data; boundary={BOUNDARY}"
        piece.body.data = body
        yield piece

    answer: Message = await at.sessions.StoreMessageMultipart(stream(), metadata=at.key)
    return answer


async def _messages(at: Surroundings, word: str) -> int:
    request = session.ListMessagesRequest(session_id=at.session_id, format="openai")
    listed = await at.sessions.ListMessages(request, metadata=at.key)
    return sum(json.loads(item)["content"] == word for item in listed.items_json)


REPEATABLE: Mapping[str, Repeatable] = {
    "CreateProject": Repeatable(_create_project, _projects),
    "CreateSession": Repeatable(_create_session, _sessions),
    "CreateDisk": Repeatable(_create_disk, _disks),
    "CreateSpace": Repeatable(_create_space, _spaces),
    "CreateBlock": Repeatable(_create_block, _blocks),
    "StoreMessage": Repeatable(_store_message, _messages),
    "StoreMessages": Repeatable(_store_messages, _messages),
    "StoreMessageJson": Repeatable(_store_message_json, _messages),
    "StoreMessageMultipart": Repeatable(_store_message_multipart, _messages),
}

ONCE: Sequence[str] = ["CreateApiKey"]
"""What makes a thing anew each time, and says so in the contract."""
