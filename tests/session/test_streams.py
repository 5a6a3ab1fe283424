"""A stream's messages share commits and pieces, and are stored before it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest
from grpc import aio

from acontext.errors import APIError, error_of
from acontext.session import v1 as pb
from acontext_server.kit.rpc import reason_of
from acontext_server.session.app.appending import Chain
from acontext_server.session.domain import SessionId, SessionNotFound
from tests.session.conversation import Conversation
from tests.session.waiting import eventually


def one(session_id: str, content: object) -> pb.StoreMessageRequest:
    blob = json.dumps({"role": "user", "content": content}).encode()
    return pb.StoreMessageRequest(session_id=session_id, blob_json=blob)


def request(session_id: str, number: int) -> pb.StoreMessagesRequest:
    return pb.StoreMessagesRequest(message=one(session_id, str(number)))


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


async def contents(talk: Conversation, session_id: str) -> list[str]:
    return [item["content"] for item in (await talk.page(session_id))["items"]]


async def test_a_piece_may_bring_many_messages_behind_its_one(talk: Conversation) -> None:
    session = await talk.create()
    pieces = [
        pb.StoreMessagesRequest(
            message=one(session.id, "a"), messages=[one(session.id, "b"), one(session.id, "c")]
        ),
        pb.StoreMessagesRequest(messages=[one(session.id, str(number)) for number in range(100)]),
        pb.StoreMessagesRequest(message=one(session.id, "z")),
    ]
    answer = await talk.sessions.StoreMessages(iter(pieces), metadata=talk.metadata)
    assert (answer.count, answer.last_sequence) == (104, 104)
    numbers = [str(number) for number in range(100)]
    assert await contents(talk, session.id) == ["a", "b", "c", *numbers, "z"]


async def test_a_piece_without_a_message_is_refused(talk: Conversation) -> None:
    with pytest.raises(aio.AioRpcError, match="session_id") as refusal:
        await storing(talk, pieces(pb.StoreMessagesRequest()))
    assert stored_before(refusal.value) == "0"


def stored_before(refusal: aio.AioRpcError) -> str:
    error = error_of(refusal)
    assert isinstance(error, APIError)
    return error.metadata["stored"]


async def test_each_message_of_a_piece_may_have_its_files(talk: Conversation) -> None:
    session = await talk.create()
    said = []
    for name in ("first", "second"):
        blob = {"role": "user", "parts": [{"type": "file", "file_field": "it"}]}
        upload = pb.FileUpload(field="it", filename=f"{name}.txt", content=name.encode())
        said.append(
            pb.StoreMessageRequest(
                session_id=session.id,
                format="acontext",
                blob_json=json.dumps(blob).encode(),
                files=[upload],
            )
        )
    assert await storing(talk, pieces(pb.StoreMessagesRequest(messages=said))) == 2
    items = (await talk.typed(session.id)).items
    assert [item.parts[0].filename for item in items] == ["first.txt", "second.txt"]
    assert [item.parts[0].asset.size_b for item in items] == [5, 6]


async def test_a_refusal_in_a_piece_says_how_many_were_stored(talk: Conversation) -> None:
    session = await talk.create()
    said = [one(session.id, what) for what in ("a", "b", 5, "d")]
    stream = pieces(request(session.id, 0), pb.StoreMessagesRequest(messages=said))
    with pytest.raises(aio.AioRpcError, match=r"blob\.content must be an array") as refusal:
        await storing(talk, stream)
    assert stored_before(refusal.value) == "3"
    assert await contents(talk, session.id) == ["0", "a", "b"]


async def test_what_was_refused_first_is_told_although_it_is_found_later(
    talk: Conversation,
) -> None:
    session = await talk.create()
    said = [one(session.id, "a"), one(str(uuid4()), "b"), one(session.id, 5)]
    with pytest.raises(aio.AioRpcError) as refusal:
        await storing(talk, pieces(pb.StoreMessagesRequest(messages=said)))
    assert reason_of(refusal.value) == "SESSION_NOT_FOUND"
    assert stored_before(refusal.value) == "1"
    assert await contents(talk, session.id) == ["a"]


async def pieces(*given: pb.StoreMessagesRequest) -> AsyncIterator[pb.StoreMessagesRequest]:
    for piece in given:
        yield piece


async def test_a_stream_waits_until_its_bytes_are_stored() -> None:
    chain = Chain()
    chain.add(10)
    await chain.catch_up(messages=1, size=10)
    chain.add(10)
    waiting = asyncio.create_task(chain.catch_up(messages=9, size=10))
    await asyncio.sleep(0)
    assert not waiting.done()
    failure = SessionNotFound(SessionId(uuid4()))
    chain.settle(10, failure)
    with pytest.raises(SessionNotFound):
        await waiting
    chain.settle(10, failure)
    await chain.settle_all()
    assert chain.stored == 0
