"""What is stored is there, in one order, and observed whole."""

import asyncio

from tests.journeys.client import Client, open_client
from tests.journeys.system import System

WRITERS, EACH = 16, 100


async def test_sixteen_writers_on_one_session_make_one_order_without_gaps(system: System) -> None:
    async with open_client(system.address) as client:
        session_id = await client.create_session()
        answered = await asyncio.gather(
            *(write(client, session_id, writer) for writer in range(WRITERS))
        )
        assert all(list(mine) == sorted(mine) for mine in answered)
        everything = list(range(1, WRITERS * EACH + 1))
        assert sorted(sequence for mine in answered for sequence in mine) == everything
        assert await client.sequences(session_id, limit=77) == everything
        texts = [str(message["content"]) for message in await client.messages(session_id)]
        for writer in range(WRITERS):
            mine = [text for text in texts if text.startswith(f"{writer}:")]
            assert mine == [f"{writer}:{number}" for number in range(EACH)]


async def write(client: Client, session_id: str, writer: int) -> list[int]:
    return [
        await client.store(session_id, {"role": "user", "content": f"{writer}:{number}"})
        for number in range(EACH)
    ]


async def test_a_hundred_messages_and_one_flush_leave_nothing_pending(system: System) -> None:
    async with open_client(system.address) as client:
        session_id = await client.create_session()
        for number in range(50):
            await client.store(session_id, {"role": "user", "content": f"Fix bug {number}."})
            await client.store(session_id, {"role": "assistant", "content": f"Fixed {number}."})
        assert (await client.flush(session_id)).status == 200
        status = await client.observed(session_id)
        assert (status.observed, status.pending, status.in_process, status.failed) == (100, 0, 0, 0)
