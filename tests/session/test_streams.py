"""A stream's messages share commits, and are stored before it ends."""

import asyncio
from collections.abc import AsyncIterator

import psycopg

from acontext.session import v1 as pb
from tests.session.conversation import Conversation
from tests.session.waiting import eventually


def request(session_id: str, number: int) -> pb.StoreMessagesRequest:
    blob = b'{"role":"user","content":"%d"}' % number
    message = pb.StoreMessageRequest(session_id=session_id, blob_json=blob)
    return pb.StoreMessagesRequest(message=message)


async def commits(talk: Conversation, session_id: str) -> int:
    url = talk.platform.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        query = "SELECT count(DISTINCT xmin::text) FROM session.message WHERE session_id = %s"
        [(count,)] = await (await connection.execute(query, (session_id,))).fetchall()
    return int(count)


async def test_messages_of_a_stream_share_commits(talk: Conversation) -> None:
    session = await talk.create()
    requests = (request(session.id, number) for number in range(400))
    answer = await talk.sessions.StoreMessages(requests, metadata=talk.metadata)
    assert (answer.count, answer.last_sequence) == (400, 400)
    assert await commits(talk, session.id) <= 40


async def test_what_a_stream_brings_is_stored_while_it_stays_open(talk: Conversation) -> None:
    session, may_end = await talk.create(), asyncio.Event()

    async def slowly() -> AsyncIterator[pb.StoreMessagesRequest]:
        for number in range(3):
            yield request(session.id, number)
        await may_end.wait()

    streaming = asyncio.create_task(storing(talk, slowly()))
    await eventually(lambda: length(talk, session.id), 3)
    single = await talk.say(session.id, "beside it")
    assert single.sequence == 4
    assert not streaming.done()
    may_end.set()
    assert await streaming == 3


async def length(talk: Conversation, session_id: str) -> int:
    return len((await talk.page(session_id))["items"])


async def storing(talk: Conversation, requests: AsyncIterator[pb.StoreMessagesRequest]) -> int:
    answer = await talk.sessions.StoreMessages(requests, metadata=talk.metadata)
    return int(answer.count)
