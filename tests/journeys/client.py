"""A patient client of the gateway: it asks again with the same request id until answered."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

from grpc import StatusCode, aio

from acontext.observer import v1 as observer
from acontext.session import v1 as session
from acontext.space import v1 as space
from tests.journeys.system import AS_PROJECT

Message = dict[str, object]
"""An OpenAI message."""

_Answer = TypeVar("_Answer")
_AGAIN = {
    StatusCode.ABORTED,
    StatusCode.CANCELLED,
    StatusCode.DEADLINE_EXCEEDED,
    StatusCode.UNAVAILABLE,
    StatusCode.UNKNOWN,  # what Envoy makes of a server that died in the middle
}
_CALL_SECONDS = 40.0
_PATIENCE_SECONDS = 120.0


class Client:
    """A project's calls, each repeated while the system is down."""

    def __init__(self, channel: aio.Channel) -> None:
        self._sessions = session.SessionServiceStub(channel)
        self._tasks = observer.TaskServiceStub(channel)
        self._spaces = space.SpaceServiceStub(channel)
        self._skills = space.SkillServiceStub(channel)
        self.refused: Counter[StatusCode] = Counter()
        """How often calls failed before they were repeated, by code."""

    async def create_space(self) -> str:
        request = space.CreateSpaceRequest(request_id=str(uuid4()))
        return (await ask_patiently(lambda: self._call(self._spaces.CreateSpace, request))).space.id

    async def create_session(self, space_id: str | None = None) -> str:
        request = session.CreateSessionRequest(request_id=str(uuid4()), space_id=space_id)
        return (
            await ask_patiently(lambda: self._call(self._sessions.CreateSession, request))
        ).session.id

    async def store(self, session_id: str, message: Message) -> int:
        """Store one OpenAI message and give its sequence."""
        request = session.StoreMessageRequest(
            session_id=session_id,
            blob_json=json.dumps(message).encode(),
            request_id=str(uuid4()),
        )
        stored = await ask_patiently(lambda: self._call(self._sessions.StoreMessage, request))
        return stored.message.sequence

    async def messages(self, session_id: str) -> Sequence[Message]:
        """Read a whole session, as OpenAI messages."""
        request = session.ListMessagesRequest(session_id=session_id, format="openai")
        page = await ask_patiently(lambda: self._call(self._sessions.ListMessages, request))
        assert not page.has_more
        return [json.loads(item) for item in page.items_json]

    async def sequences(self, session_id: str, *, limit: int = 200) -> Sequence[int]:
        """Read the sequences of a session, page by page."""
        request = session.ListMessagesRequest(session_id=session_id, limit=limit)
        sequences: list[int] = []
        while True:
            page = await ask_patiently(lambda: self._call(self._sessions.ListMessages, request))
            sequences.extend(item.sequence for item in page.items)
            if not page.has_more:
                return sequences
            request.cursor = page.next_cursor

    async def flush(self, session_id: str) -> observer.FlushSessionResponse:
        """Have everything observed; 504 means that it goes on, so this asks again."""
        request = observer.FlushSessionRequest(session_id=session_id)
        while True:
            answer = await ask_patiently(lambda: self._call(self._tasks.FlushSession, request))
            if answer.status != 504:
                return answer

    async def observed(self, session_id: str) -> observer.GetObservingStatusResponse:
        request = observer.GetObservingStatusRequest(session_id=session_id)
        return await ask_patiently(lambda: self._call(self._tasks.GetObservingStatus, request))

    async def tasks(self, session_id: str) -> Sequence[observer.Task]:
        request = observer.ListTasksRequest(session_id=session_id, limit=200)
        return (await ask_patiently(lambda: self._call(self._tasks.ListTasks, request))).items

    async def unlearned(self, session_id: str) -> int:
        request = observer.GetLearningStatusRequest(session_id=session_id)
        status = await ask_patiently(lambda: self._call(self._tasks.GetLearningStatus, request))
        return status.not_space_digested_count

    async def skills(self, space_id: str) -> Sequence[space.Skill]:
        request = space.ListSkillsRequest(space_id=space_id, limit=200)
        return (await ask_patiently(lambda: self._call(self._skills.ListSkills, request))).items

    async def _call(self, method: Callable[..., Awaitable[_Answer]], request: object) -> _Answer:
        try:
            return await method(request, metadata=AS_PROJECT, timeout=_CALL_SECONDS)
        except aio.AioRpcError as error:
            self.refused[error.code()] += 1
            raise


async def ask_patiently(call: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Call again and again until the system is back and answers."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            try:
                return await call()
            except aio.AioRpcError as error:
                if error.code() not in _AGAIN and not _is_of_the_client(error):
                    raise
            await asyncio.sleep(0.1)


def _is_of_the_client(error: aio.AioRpcError) -> bool:
    """Say whether gRPC itself calls a line that broke under a stream of requests INTERNAL.

    grpc/grpc#36066; ours has always a reason, by which SDKs tell the two apart as well.
    """
    told = [name for name, _ in error.trailing_metadata() or ()]
    return error.code() is StatusCode.INTERNAL and "grpc-status-details-bin" not in told


async def until_broken(watch: AsyncIterable[_Answer]) -> AsyncIterator[_Answer]:
    """Follow a watch until the system goes down under it."""
    try:
        async for response in watch:
            yield response
    except aio.AioRpcError as error:
        if error.code() not in _AGAIN:
            raise
        await asyncio.sleep(0.1)


def channel_to(address: str) -> aio.Channel:
    """Make a channel that connects again soon after the gateway is back."""
    options = [
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
        ("grpc.max_receive_message_length", 64 * 2**20),
    ]
    return aio.insecure_channel(address, options=options)


async def set_outcome(address: str, task_id: str, status: str) -> None:
    """Set how a task ended, at the gateway or at observer's own address."""
    request = observer.SetTaskOutcomeRequest(task_id=task_id, status=status)
    async with channel_to(address) as channel:
        stub = observer.TaskServiceStub(channel)
        await stub.SetTaskOutcome(request, metadata=AS_PROJECT, timeout=20)


@asynccontextmanager
async def open_client(address: str) -> AsyncIterator[Client]:
    """Open a client on a channel of its own."""
    async with channel_to(address) as channel:
        yield Client(channel)
