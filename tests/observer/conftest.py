"""Session and observer for a test, and the few things that tests do with them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nats
import pytest

from acontext.observer import v1 as pb
from acontext.session import v1 as session_pb
from tests.services import Platform

if TYPE_CHECKING:
    from acontext.observer.v1.run_service_pb2_grpc import RunServiceAsyncStub
    from acontext.observer.v1.task_service_pb2_grpc import TaskServiceAsyncStub
    from acontext.session.v1.session_service_pb2_grpc import SessionServiceAsyncStub

README: list[dict[str, Any]] = [
    {"role": "user", "content": "Please build a landing page for the iPhone 15 Pro Max."},
    {
        "role": "assistant",
        "content": "Sure, my plan is below:\n"
        "1. Search for the latest news about the iPhone 15 Pro Max\n"
        "2. Init a Next.js project for the landing page\n"
        "3. Deploy the landing page to the website",
    },
    {
        "role": "user",
        "content": "That sounds good. Let's first collect the information and report to me "
        "before any landing page coding.",
    },
    {
        "role": "assistant",
        "content": "Sure, I will first collect the information, then report to you.",
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "search_news", "arguments": '{"query": "iPhone 15 Pro Max"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "Titanium, USB-C, a 5x camera."},
    {
        "role": "assistant",
        "content": "I have collected the news: titanium, USB-C, a 5x camera. Shall I go on?",
    },
]


@dataclass(frozen=True)
class Observer:
    """What tests do with the observer and the session behind it."""

    platform: Platform

    @property
    def tasks(self) -> "TaskServiceAsyncStub":
        """The tasks and observing."""
        return pb.TaskServiceStub(self.platform.channel("observer"))

    @property
    def runs(self) -> "RunServiceAsyncStub":
        """The runs."""
        return pb.RunServiceStub(self.platform.channel("observer"))

    @property
    def sessions(self) -> "SessionServiceAsyncStub":
        """The sessions."""
        return session_pb.SessionServiceStub(self.platform.channel("session"))

    async def new_session(self, **fields: Any) -> str:
        """Create a session and give its id."""
        request = session_pb.CreateSessionRequest(**fields)
        created = await self.sessions.CreateSession(request, metadata=self.platform.key)
        return str(created.session.id)

    async def store(self, session_id: str, messages: Sequence[dict[str, Any]]) -> list[str]:
        """Store messages one after the other, in OpenAI form."""
        stored: list[str] = []
        for message in messages:
            body = json.dumps({"format": "openai", "blob": message}).encode()
            request = session_pb.StoreMessageJsonRequest(session_id=session_id)
            request.body.content_type, request.body.data = "application/json", body
            answer = await self.sessions.StoreMessageJson(request, metadata=self.platform.key)
            stored.append(json.loads(answer.data)["id"])
        return stored

    async def flush(self, session_id: str, *, seconds: float = 30) -> pb.FlushSessionResponse:
        """Observe everything now."""
        request = pb.FlushSessionRequest(session_id=session_id)
        return await self.tasks.FlushSession(request, metadata=self.platform.key, timeout=seconds)

    async def tasks_of(self, session_id: str, **fields: Any) -> list[pb.Task]:
        """List a session's tasks."""
        request = pb.ListTasksRequest(session_id=session_id, **fields)
        answer = await self.tasks.ListTasks(request, metadata=self.platform.key)
        return list(answer.items)

    async def described(self, session_id: str) -> list[object]:
        """Say all that was observed of a session, without ids and times."""
        found: list[object] = []
        for task in await self.tasks_of(session_id):
            request = pb.GetTaskRequest(task_id=task.id)
            whole = await self.tasks.GetTask(request, metadata=self.platform.key)
            data, messages = whole.task.data, [one.sequence for one in whole.messages]
            lines = [*data.progresses], [*data.user_preferences]
            found.append((task.order, task.status, data.task_description, *lines, messages))
        return found

    async def messages(self, session_id: str) -> list[session_pb.Message]:
        """List a session's messages as they are stored."""
        request = session_pb.ListMessagesRequest(session_id=session_id)
        answer = await self.sessions.ListMessages(request, metadata=self.platform.key)
        return list(answer.items)

    async def status(self, session_id: str) -> pb.GetObservingStatusResponse:
        """Count a session's messages."""
        request = pb.GetObservingStatusRequest(session_id=session_id)
        return await self.tasks.GetObservingStatus(request, metadata=self.platform.key)


async def eventually(question: Callable[[], Awaitable[object]], *, seconds: float = 15) -> None:
    """Ask until the answer is true, or fail with the last one."""
    answer: object = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                answer = await question()
                if answer:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"the last answer was {answer!r}")


async def dead_letters(platform: Platform) -> list[str]:
    """Read what could not be dealt with."""
    client = await nats.connect(platform.settings.nats_url)
    try:
        stream, jetstream = f"{platform.settings.nats_prefix}_dead", client.jetstream()
        state = (await jetstream.stream_info(stream)).state
        found = [
            await jetstream.get_msg(stream, seq=sequence)
            for sequence in range(state.first_seq, state.last_seq + 1)
        ]
        return [(message.data or b"").decode() for message in found]
    finally:
        await client.close()


@pytest.fixture
async def observer(platform: Platform) -> Observer:
    """Session and observer, running."""
    await platform.start("session", "observer")
    return Observer(platform)
