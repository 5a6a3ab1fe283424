"""Native gRPC calls through the gateway: one message a call, or many in one stream."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice, repeat

from grpc import aio

from acontext.session import v1 as pb
from acontext_server.kit.rpc.clients import CHANNEL_OPTIONS
from benchmarks.system import AS_PROJECT

_WORDS = (
    "The nightly build failed again after we moved the cache, so please look at the last three "
    "runs, tell me which step is slow, and propose a change that keeps the artifacts small. "
)
TEXT = (_WORDS * 3)[:400]
"""What every measured message says: 400 bytes of plain English."""
MESSAGE: dict[str, object] = {"role": "user", "content": TEXT}
PIECE = 32
"""Messages that go at once in a stream, as in the SDK."""


class Sessions:
    """A project's sessions, as a typed client sees them."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = pb.SessionServiceStub(channel)

    async def create(self, count: int, *, observed: bool) -> list[str]:
        """Open some sessions."""
        request = pb.CreateSessionRequest(disable_task_tracking=not observed)
        made = [await self._stub.CreateSession(request, metadata=AS_PROJECT) for _ in range(count)]
        return [one.session.id for one in made]

    async def last_sequence(self, session_id: str) -> int:
        """Count a session's messages."""
        request = pb.ListMessagesRequest(session_id=session_id, limit=1, time_desc=True)
        page = await self._stub.ListMessages(request, metadata=AS_PROJECT)
        return page.items[0].sequence if page.items else 0

    async def stream(self, session_id: str, count: int, *, at_once: int = PIECE) -> float:
        """Store messages in one stream, so many a piece; give how many a second that was."""
        pieces = _pieces(session_id, count, at_once)
        began = time.perf_counter()
        answer = await self._stub.StoreMessages(iter(pieces), metadata=AS_PROJECT)
        seconds = time.perf_counter() - began
        assert answer.count == count, answer
        return count / seconds

    async def store(self, session_ids: Sequence[str], count: int, *, callers: int) -> float:
        """Store messages one a call from some callers, and give how many a second that was."""
        requests = iter([_request(session_ids[n % len(session_ids)]) for n in range(count)])
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(self._store_all(requests))
        return count / (time.perf_counter() - began)

    async def _store_all(self, requests: Iterable[pb.StoreMessageRequest]) -> None:
        for request in requests:
            await self._stub.StoreMessage(request, metadata=AS_PROJECT)


def _request(session_id: str) -> pb.StoreMessageRequest:
    return pb.StoreMessageRequest(session_id=session_id, blob_json=json.dumps(MESSAGE).encode())


def _pieces(session_id: str, count: int, at_once: int) -> list[pb.StoreMessagesRequest]:
    requests = repeat(_request(session_id), count)
    return [
        pb.StoreMessagesRequest(messages=piece)
        for piece in iter(lambda: list(islice(requests, at_once)), [])
    ]


@asynccontextmanager
async def open_channel(address: str) -> AsyncIterator[aio.Channel]:
    """Open a channel to `host:port`."""
    async with aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        yield channel
