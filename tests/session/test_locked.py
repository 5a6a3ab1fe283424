"""A log that another holds keeps only its own callers waiting."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import psycopg
import pytest
from grpc import StatusCode, aio

from acontext.session import v1 as pb
from tests.session.conversation import Conversation


@asynccontextmanager
async def locked(talk: Conversation, session_id: str) -> AsyncIterator[None]:
    """Hold the log of a session, as a deletion does that has much to delete."""
    url = talk.platform.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        query = "SELECT 1 FROM session.log WHERE session_id = %s FOR UPDATE"
        await connection.execute(query, (session_id,))
        yield


async def texts(talk: Conversation, session_id: str) -> list[str]:
    page = await talk.page(session_id)
    return [item["content"] for item in page["items"]]


async def test_others_are_stored_while_one_log_is_held(talk: Conversation) -> None:
    held, free = await talk.create(), await talk.create()
    async with locked(talk, held.id):
        waiting = [asyncio.create_task(talk.say(held.id, str(number))) for number in range(20)]
        async with asyncio.timeout(5):
            await asyncio.gather(*(talk.say(free.id, str(number)) for number in range(20)))
        assert len(await texts(talk, free.id)) == 20
        assert not any(one.done() for one in waiting)
    stored = await asyncio.gather(*waiting)
    assert sorted(message.sequence for message in stored) == list(range(1, 21))
    await talk.say(held.id, "at last")
    assert (await texts(talk, held.id))[-1] == "at last"


async def stream(talk: Conversation, session_ids: Sequence[str]) -> int:
    requests = [
        pb.StoreMessagesRequest(
            message=pb.StoreMessageRequest(
                session_id=session_id,
                blob_json=b'{"role":"user","content":"%d"}' % number,
            )
        )
        for number, session_id in enumerate(session_ids)
    ]
    answer = await talk.sessions.StoreMessages(iter(requests), metadata=talk.metadata)
    return int(answer.count)


async def test_a_stream_keeps_its_order_behind_a_log_that_is_held(talk: Conversation) -> None:
    held, free = await talk.create(), await talk.create()
    async with locked(talk, held.id):
        streaming = asyncio.create_task(stream(talk, [held.id, free.id] * 300))
        await talk.say(free.id, "another caller")
        assert await texts(talk, free.id) == ["another caller"]
    assert await streaming == 600
    assert await texts(talk, held.id) == [str(number) for number in range(0, 600, 2)]
    odd = [str(number) for number in range(1, 600, 2)]
    assert await texts(talk, free.id) == ["another caller", *odd]


async def test_behind_a_refused_message_a_stream_stores_nothing_even_aside(
    talk: Conversation,
) -> None:
    held, free = await talk.create(), await talk.create()
    async with locked(talk, held.id):
        streaming = asyncio.create_task(stream(talk, [held.id, str(uuid4()), free.id]))
        await talk.say(free.id, "another caller")
    with pytest.raises(aio.AioRpcError) as refusal:
        await streaming
    assert refusal.value.code() is StatusCode.NOT_FOUND
    assert await texts(talk, held.id) == ["0"]
    assert await texts(talk, free.id) == ["another caller"]


async def test_more_held_logs_than_may_wait_at_once_are_stored_in_the_end(
    talk: Conversation,
) -> None:
    sessions = [await talk.create() for _ in range(6)]
    url = talk.platform.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT 1 FROM session.log FOR UPDATE")
        waiting = [asyncio.create_task(talk.say(one.id, "hi")) for one in sessions]
        other = await talk.create()
        await talk.say(other.id, "not held")
        assert not any(one.done() for one in waiting)
    assert [message.sequence for message in await asyncio.gather(*waiting)] == [1] * 6
