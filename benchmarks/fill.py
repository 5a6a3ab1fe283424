"""`python -m benchmarks.fill HOST:PORT KEY MESSAGES SESSIONS`: fills a running system by its API.

Prints the id of the session that has the messages, as JSON.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator

from grpc import aio

from acontext.session import v1 as pb

AT_ONCE = 32
WORDS = (
    "The quick agent looks at the lazy log and says what it will do next, in a sentence or two. "
)


async def fill(address: str, key: str, messages: int, sessions: int) -> str:
    """Store a session with many messages, then open many empty ones; give the first one's id."""
    metadata = (("authorization", f"Bearer {key}"),)
    async with aio.insecure_channel(address) as channel:
        stub = pb.SessionServiceStub(channel)
        untracked = pb.CreateSessionRequest(disable_task_tracking=True)
        made = await stub.CreateSession(untracked, metadata=metadata)
        await stub.StoreMessages(_talk(made.session.id, messages), metadata=metadata)
        waiting = iter(range(sessions))

        async def open_some() -> None:
            for _ in waiting:
                await stub.CreateSession(untracked, metadata=metadata)

        await asyncio.gather(*(open_some() for _ in range(AT_ONCE)))
    return made.session.id


async def _talk(session_id: str, messages: int) -> AsyncIterator[pb.StoreMessagesRequest]:
    for number in range(messages):
        role = "user" if number % 2 == 0 else "assistant"
        blob = {"role": role, "content": f"Number {number}. {WORDS * (number % 5 + 1)}"}
        message = pb.StoreMessageRequest(session_id=session_id, blob_json=json.dumps(blob).encode())
        yield pb.StoreMessagesRequest(message=message)


def main() -> None:
    """Fill what the command line names."""
    address, key, messages, sessions = sys.argv[1:]
    session_id = asyncio.run(fill(address, key, int(messages), int(sessions)))
    print(json.dumps({"session_id": session_id}))


if __name__ == "__main__":
    main()
