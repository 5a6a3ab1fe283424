"""Messages through the doors of the service, on real engines."""

import asyncio
import json
import shutil
from collections import Counter
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import uuid4

import grpc
import psycopg
import pytest
from google.api.httpbody_pb2 import HttpBody
from grpc import aio

from acontext.session import v1 as pb
from acontext_server.kit.rpc import reason_of
from acontext_server.session.app.contents import STAND_IN
from tests.session.conversation import Conversation


async def test_what_is_stored_is_listed_in_order(talk: Conversation) -> None:
    session = await talk.create()
    said = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    stored = [await talk.put(session.id, blob) for blob in said]
    page = await talk.page(session.id)
    assert page["items"] == said
    assert page["ids"] == [message["id"] for message in stored]
    assert page["has_more"] is False
    assert page["edit_at_message_id"] == stored[-1]["id"]
    assert page["this_time_tokens"] == 4


async def test_the_answer_is_the_message_as_it_was_stored(talk: Conversation) -> None:
    session = await talk.create()
    first = await talk.put(session.id, {"role": "user", "content": "hi"})
    second = await talk.put(session.id, {"role": "user", "content": "ho"})
    assert first["parent_id"] is None
    assert second["parent_id"] == first["id"]
    assert second["created_at"] > first["created_at"]
    assert first["task_id"] is None
    assert first["session_task_process_status"] == "pending"
    assert first["parts"] == [{"type": "text", "text": "hi"}]
    assert first["meta"] == {"source_format": "openai"}


def _place(message: pb.Message) -> tuple[int, str, str, int]:
    created_at = message.created_at.ToNanoseconds()
    return message.sequence, message.id, message.parent_id, created_at


async def test_sixteen_writers_make_one_order_without_gaps(talk: Conversation) -> None:
    session = await talk.create()
    done = asyncio.Event()

    async def write(writer: int) -> list[pb.Message]:
        return [await talk.say(session.id, f"{writer}:{number}") for number in range(100)]

    async def read() -> None:
        seen: list[str] = []
        while not done.is_set():
            page = await talk.page(session.id)
            texts = [item["content"] for item in page["items"]]
            assert texts[: len(seen)] == seen
            seen = texts

    reader = asyncio.create_task(read())
    written = await asyncio.gather(*(write(writer) for writer in range(16)))
    done.set()
    await reader
    sequences = [message.sequence for messages in written for message in messages]
    assert sorted(sequences) == list(range(1, 1601))
    listed = await talk.typed(session.id)
    assert [message.sequence for message in listed.items] == list(range(1, 1601))
    answered = [_place(message) for messages in written for message in messages]
    assert sorted(answered) == [_place(message) for message in listed.items]
    chain = [(message.parent_id or None) for message in listed.items]
    assert chain == [None, *(message.id for message in listed.items[:-1])]
    times = [message.created_at.ToNanoseconds() for message in listed.items]
    assert times == sorted(set(times))
    for writer in range(16):
        own = [m.parts[0].text for m in listed.items if m.parts[0].text.startswith(f"{writer}:")]
        assert own == [f"{writer}:{number}" for number in range(100)]


async def test_a_repeated_request_gets_the_first_answer(talk: Conversation) -> None:
    session, request_id = await talk.create(), str(uuid4())
    answers = await asyncio.gather(
        *(talk.say(session.id, "once", request_id=request_id) for _ in range(16))
    )
    again = await talk.say(session.id, "once", request_id=request_id)
    assert {message.id for message in answers} == {again.id}
    assert len((await talk.page(session.id))["items"]) == 1


async def test_a_request_id_belongs_to_one_request(talk: Conversation) -> None:
    session, request_id = await talk.create(), str(uuid4())
    await talk.say(session.id, "one", request_id=request_id)
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.say(session.id, "other", request_id=request_id)
    assert reason_of(refusal.value) == "REQUEST_ID_REUSED"


async def test_what_was_refused_may_come_again_with_its_request_id(talk: Conversation) -> None:
    session, request_id = await talk.create(), str(uuid4())
    response = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
    body = {"format": "gemini", "blob": response, "request_id": request_id}
    with pytest.raises(aio.AioRpcError, match="answers no open call"):
        await talk.post(session.id, body)
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
    stored = await talk.put(session.id, call, "gemini")
    answer = await talk.post(session.id, body)
    assert answer["parts"][0]["meta"]["tool_call_id"] == stored["parts"][0]["meta"]["id"]
    assert (await talk.post(session.id, body))["id"] == answer["id"]
    with pytest.raises(aio.AioRpcError, match="answers no open call"):
        await talk.put(session.id, response, "gemini")


async def test_a_bad_neighbour_does_not_hurt_a_batch(talk: Conversation) -> None:
    session = await talk.create()
    outcomes = await asyncio.gather(
        *(talk.say(str(uuid4()) if n % 3 == 0 else session.id, str(n)) for n in range(30)),
        return_exceptions=True,
    )
    failed = [outcome for outcome in outcomes if isinstance(outcome, aio.AioRpcError)]
    assert len(failed) == 10
    assert {reason_of(error) for error in failed} == {"SESSION_NOT_FOUND"}
    assert len((await talk.page(session.id))["items"]) == 20


async def test_pages_go_both_ways_and_are_always_ascending(talk: Conversation) -> None:
    session = await talk.create()
    for number in range(7):
        await talk.say(session.id, str(number))

    async def walk(*, time_desc: bool) -> list[str]:
        cursor, pages = "", []
        while True:
            page = await talk.page(session.id, limit=3, cursor=cursor, time_desc=time_desc)
            pages.append("".join(item["content"] for item in page["items"]))
            assert page["has_more"] is ("next_cursor" in page)
            if not page["has_more"]:
                return pages
            cursor = page["next_cursor"]

    assert await walk(time_desc=False) == ["012", "345", "6"]
    assert await walk(time_desc=True) == ["456", "123", "0"]
    page = await talk.page(session.id, limit=3)
    rest = await talk.page(session.id, cursor=page["next_cursor"])
    assert [item["content"] for item in rest["items"]] == list("3456")


@pytest.mark.parametrize("cursor", ["nonsense", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ="])
async def test_a_cursor_of_others_is_refused(talk: Conversation, cursor: str) -> None:
    session = await talk.create()
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.page(session.id, cursor=cursor)
    assert reason_of(refusal.value) == "INVALID_CURSOR"


async def test_a_cursor_of_another_list_is_refused(talk: Conversation) -> None:
    session, other = await talk.create(), await talk.create()
    for _ in range(2):
        await talk.say(session.id, "x")
    cursor = (await talk.page(session.id, limit=1))["next_cursor"]
    for session_id, time_desc in ((other.id, False), (session.id, True)):
        with pytest.raises(aio.AioRpcError) as refusal:
            await talk.page(session_id, cursor=cursor, time_desc=time_desc)
        assert reason_of(refusal.value) == "INVALID_CURSOR"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the body: is not JSON"),
        (b"[]", "the body: must be an object"),
        (b"", "blob is required and must be an object"),
        (b'{"blob":{"role":"user","content":"x"},"format":"morse"}', "format: must be one of"),
        (b'{"blob":{"role":"user","content":"x"},"request_id":"7"}', "request_id: must be a UUID"),
        (
            b'{"blob":{"role":"user","content":"\\ud800"}}',
            "surrogate without its partner in blob.content",
        ),
        (b'{"blob":{"role":"user","content":"\xff"}}', "is not UTF-8"),
        (
            b'{"blob":{"role":"user","content":[{"type":"morse"}]}}',
            "blob.content[0].type must be one of",
        ),
        (b'{"blob":{"role":"user","content":"x"},"a":' + b"[" * 300, "nested deeper"),
        (
            b'{"format":"acontext","blob":{"role":"user","parts":[{"type":"file","file_field":"f"}]}}',
            "missing file f",
        ),
    ],
)
async def test_a_broken_body_is_named(talk: Conversation, body: bytes, said: str) -> None:
    session = await talk.create()
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.post(session.id, body)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert said in (refusal.value.details() or "")


async def test_odd_text_and_deep_json_come_back_equal(talk: Conversation) -> None:
    session = await talk.create()
    deep = json.loads('{"a":' * 120 + '{"big": 123456789012345678901234567890}' + "}" * 120)
    blob = {
        "role": "user",
        "parts": [
            {"type": "text", "text": "nul \0 and 😀"},
            {"type": "data", "meta": {"data_type": "odd", "z": "\0", "deep": deep}},
        ],
    }
    await talk.put(session.id, blob, "acontext")
    [item] = (await talk.page(session.id, format="acontext"))["items"]
    assert item["parts"] == blob["parts"]
    listed = await talk.typed(session.id)
    assert listed.items[0].parts[0].text == "nul \0 and 😀"


async def test_long_texts_are_kept_as_blobs_and_come_back(talk: Conversation) -> None:
    session = await talk.create()
    long = "wörd " * 50_000
    blob = {
        "role": "assistant",
        "content": long,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": long}}
        ],
    }
    await talk.put(session.id, blob)
    assert (await talk.page(session.id))["items"] == [blob]
    assert (await talk.typed(session.id)).items[0].parts[0].text == long
    service = talk.as_service(session.project_id)
    request = pb.ReadMessagesRequest(session_id=session.id)
    read = await service.sessions.ReadMessages(request, metadata=service.metadata)
    assert read.items[0].content.parts[0].text == long


@pytest.mark.parametrize(
    ("form", "blob"),
    [
        ("openai", {"content": [{"type": "image_url", "image_url": {"url": "http://["}}]}),
        (
            "openai",
            {"content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,a"}}]},
        ),
        ("gemini", {"parts": [{"inlineData": {"mimeType": "text/plain", "data": "a"}}]}),
        ("gemini", {"parts": [{"inlineData": {"mimeType": "text/plain", "data": "é"}}]}),
        ("gemini", {"parts": [{"fileData": {"mimeType": "text/plain", "fileUri": "http://["}}]}),
    ],
)
async def test_what_is_no_url_or_no_base64_spoils_no_page(
    talk: Conversation, form: str, blob: dict[str, object]
) -> None:
    session = await talk.create()
    await talk.put(session.id, {"role": "user", **blob}, form)
    for shown in ("openai", "anthropic", "gemini", "acontext"):
        page = await talk.page(session.id, format=shown)
        assert page["this_time_tokens"] >= 0, shown
    assert (await talk.page(session.id, format=form))["items"] == [{"role": "user", **blob}]


async def test_a_result_in_our_own_form_needs_no_open_call(talk: Conversation) -> None:
    session = await talk.create()
    meta = {"tool_call_id": "call_1", "name": "calc"}
    part = {"type": "tool-result", "text": "42", "meta": meta}
    await talk.put(session.id, {"role": "user", "parts": [part]}, "acontext")
    [item] = (await talk.page(session.id, format="acontext"))["items"]
    assert item["parts"][0]["meta"] == meta


async def test_an_upload_shown_more_often_than_an_answer_holds_is_refused(
    talk: Conversation,
) -> None:
    session = await talk.create()
    part = {"type": "file", "file_field": "it"}
    payload = {"format": "acontext", "blob": {"role": "user", "parts": [part] * 20}}
    pdf = b"%PDF-1.4\n" + b"x" * (5 << 20)
    content_type, body = multipart(payload, it=pdf)
    pieces = [
        pb.StoreMessageMultipartRequest(
            session_id="" if start else session.id,
            body=HttpBody(content_type=content_type, data=body[start : start + (1 << 20)]),
        )
        for start in range(0, len(body), 1 << 20)
    ]
    with pytest.raises(aio.AioRpcError) as refusal:
        await talk.sessions.StoreMessageMultipart(iter(pieces), metadata=talk.metadata)
    assert reason_of(refusal.value) == "TOO_LARGE"
    assert (await talk.page(session.id))["items"] == []


async def test_a_bulk_stream_stores_in_the_order_sent(talk: Conversation) -> None:
    session = await talk.create()

    def message(text: str) -> pb.StoreMessagesRequest:
        blob = json.dumps({"role": "user", "content": text}).encode()
        inner = pb.StoreMessageRequest(session_id=session.id, blob_json=blob)
        return pb.StoreMessagesRequest(message=inner)

    messages = [message(str(number)) for number in range(3000)]
    answer = await talk.sessions.StoreMessages(iter(messages), metadata=talk.metadata)
    assert (answer.count, answer.last_sequence) == (3000, 3000)
    page = await talk.page(session.id)
    assert [item["content"] for item in page["items"]] == [str(number) for number in range(3000)]


async def test_a_broken_bulk_stream_keeps_what_came_before(talk: Conversation) -> None:
    session = await talk.create()

    def message(text: object) -> pb.StoreMessagesRequest:
        blob = json.dumps({"role": "user", "content": text}).encode()
        inner = pb.StoreMessageRequest(session_id=session.id, blob_json=blob)
        return pb.StoreMessagesRequest(message=inner)

    messages = [message("a"), message("b"), message(5), message("c")]
    with pytest.raises(aio.AioRpcError, match=r"blob\.content must be an array"):
        await talk.sessions.StoreMessages(iter(messages), metadata=talk.metadata)
    assert [item["content"] for item in (await talk.page(session.id))["items"]] == ["a", "b"]


def multipart(payload: object, **files: bytes) -> tuple[str, bytes]:
    """Put a form together."""
    lines = []
    for name, content in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="dir/{name}.png"\r\n\r\n'
        lines.append(b"--edge\r\n" + head.encode() + content + b"\r\n")
    head = 'Content-Disposition: form-data; name="payload"\r\n\r\n'
    lines.append(b"--edge\r\n" + head.encode() + json.dumps(payload).encode() + b"\r\n--edge--\r\n")
    return "multipart/form-data; boundary=edge", b"".join(lines)


PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\x00IEND\xaeB`\x82"
)


async def upload(talk: Conversation, session_id: str, payload: object, **files: bytes) -> object:
    content_type, body = multipart(payload, **files)
    pieces = [body[start : start + 50] for start in range(0, len(body), 50)]
    requests = [
        pb.StoreMessageMultipartRequest(
            session_id=session_id if index == 0 else "",
            body=HttpBody(content_type=content_type if index == 0 else "", data=piece),
        )
        for index, piece in enumerate(pieces)
    ]
    answer = await talk.sessions.StoreMessageMultipart(iter(requests), metadata=talk.metadata)
    return json.loads(answer.data)


async def test_an_uploaded_image_survives_every_format(talk: Conversation) -> None:
    session = await talk.create()
    blob = {"role": "user", "parts": [{"type": "image", "file_field": "photo"}]}
    payload = {"format": "acontext", "blob": blob}
    stored = await upload(talk, session.id, payload, photo=PNG, unnamed=b"ignored")
    assert isinstance(stored, dict)
    [part] = stored["parts"]
    assert part["filename"] == "photo.png"
    assert part["asset"]["mime"] == "image/png"
    assert part["asset"]["size_b"] == len(PNG)
    sha256 = part["asset"]["sha256"]
    own = await talk.page(session.id, format="acontext")
    assert own["items"][0]["parts"] == [part]
    assert own["public_urls"][sha256]["url"].startswith("http")
    for form in ("openai", "anthropic", "gemini"):
        page = await talk.page(session.id, format=form)
        assert "public_urls" not in page
        assert ("http" if form == "openai" else "iVBORw0KGgo") in json.dumps(page["items"])
    inline = await talk.page(session.id, with_asset_public_url=False)
    assert "data:image/png;base64,iVBORw0KGgo" in json.dumps(inline["items"])


async def test_a_named_file_that_did_not_come_is_named(talk: Conversation) -> None:
    session = await talk.create()
    blob = {"role": "user", "content": [{"type": "file", "file_field": "letter"}]}
    with pytest.raises(aio.AioRpcError, match="missing file letter") as refusal:
        await upload(talk, session.id, {"blob": blob}, other=b"x")
    assert reason_of(refusal.value) == "MISSING_FILE"


async def test_a_typed_request_brings_its_files(talk: Conversation) -> None:
    session = await talk.create()
    blob = {"role": "user", "content": [{"type": "image_url", "file_field": "photo"}]}
    request = pb.StoreMessageRequest(
        session_id=session.id,
        blob_json=json.dumps(blob).encode(),
        files=[pb.FileUpload(field="photo", filename="a/b.png", content=PNG)],
    )
    stored = await talk.sessions.StoreMessage(request, metadata=talk.metadata)
    assert stored.message.parts[0].filename == "b.png"
    assert stored.message.parts[0].asset.mime == "image/png"


async def test_strategies_shape_the_answer_and_its_figures(talk: Conversation) -> None:
    session = await talk.create()
    for number in range(4):
        blob = {"role": "tool", "tool_call_id": f"c{number}", "content": "a long result"}
        await talk.put(session.id, blob)
    strategies = '[{"type":"remove_tool_result","params":{"keep_recent_n_tool_results":1}}]'
    page = await talk.page(session.id, edit_strategies=strategies)
    assert [item["content"] for item in page["items"]] == ["Done"] * 3 + ["a long result"]
    whole = await talk.page(session.id)
    assert page["this_time_tokens"] < whole["this_time_tokens"]
    pinned = await talk.page(
        session.id,
        edit_strategies=strategies,
        pin_editing_strategies_at_message=whole["ids"][1],
    )
    texts = Counter(item["content"] for item in pinned["items"])
    assert texts == {"Done": 1, "a long result": 3}
    assert pinned["edit_at_message_id"] == whole["ids"][1]
    empty = await talk.create()
    with pytest.raises(aio.AioRpcError, match="limit_tokens"):
        await talk.page(empty.id, edit_strategies='[{"type":"token_limit"}]')


async def test_an_empty_session_has_an_empty_page(talk: Conversation) -> None:
    session = await talk.create()
    page = await talk.page(session.id)
    assert page == {"items": [], "ids": [], "has_more": False, "this_time_tokens": 0}


async def test_tokens_are_counted_over_the_whole_session(talk: Conversation) -> None:
    session = await talk.create()
    for _ in range(3):
        await talk.say(session.id, "hello world")
    request = pb.GetTokenCountsRequest(session_id=session.id)
    count = await talk.sessions.GetTokenCounts(request, metadata=talk.metadata)
    assert count.total_tokens == 9


async def test_results_find_the_name_of_a_call_on_an_earlier_page(talk: Conversation) -> None:
    session = await talk.create()
    function = {"name": "goto", "arguments": "{}"}
    call = {
        "role": "assistant",
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }
    await talk.put(session.id, call)
    await talk.put(session.id, {"role": "tool", "tool_call_id": "c", "content": "ok"})
    page = await talk.page(session.id, limit=1, time_desc=True, format="gemini")
    [response] = page["items"][0]["parts"]
    assert response["functionResponse"]["name"] == "goto"


async def test_an_answer_stops_before_it_is_too_large(talk: Conversation) -> None:
    session = await talk.create()
    long = "x" * (9 << 20)
    channel = aio.insecure_channel(
        talk.platform.settings.session_address,
        options=[("grpc.max_receive_message_length", 72 << 20)],
    )
    async with channel:
        talk.sessions = pb.SessionServiceStub(channel)
        for _ in range(8):
            await talk.put(session.id, {"role": "user", "content": long})
        first = await talk.page(session.id)
        assert first["has_more"] is True
        rest = await talk.page(session.id, cursor=first["next_cursor"])
    assert len(first["items"]) + len(rest["items"]) == 8
    assert rest["has_more"] is False


async def test_callers_that_hang_up_leave_no_gap(talk: Conversation) -> None:
    session = await talk.create()
    calls = [asyncio.create_task(talk.say(session.id, str(number))) for number in range(60)]
    await asyncio.sleep(0.01)
    for call in calls[::2]:
        call.cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    kept = [outcome for outcome in outcomes if isinstance(outcome, pb.Message)]
    assert len(kept) >= 30
    listed = (await talk.typed(session.id)).items
    assert [message.sequence for message in listed] == list(range(1, len(listed) + 1))
    assert {message.id for message in kept} <= {message.id for message in listed}


async def test_a_damaged_message_spoils_no_other(talk: Conversation) -> None:
    session = await talk.create()
    function = {"name": "goto", "arguments": "{}"}
    call = {"id": "c", "type": "function", "function": function}
    await talk.put(session.id, {"role": "assistant", "tool_calls": [call]})
    await talk.say(session.id, "first")
    await talk.say(session.id, "x" * 100_000)
    await talk.say(session.id, "last")
    await _damage(talk, "content = '\\xff' WHERE sequence <= 2")
    await _lose_blobs(talk)
    [*broken, last] = (await talk.page(session.id, format="openai"))["items"]
    assert [one["content"] for one in broken] == [STAND_IN] * 3
    assert [one["role"] for one in broken] == ["assistant", "user", "user"]
    assert last["content"] == "last"
    for form in ("acontext", "anthropic", "gemini"):
        assert len((await talk.page(session.id, format=form))["items"]) >= 2
    await talk.put(session.id, {"role": "tool", "tool_call_id": "c", "content": "ok"})
    assert len((await talk.typed(session.id)).items) == 5


async def _damage(talk: Conversation, what: LiteralString) -> None:
    url = talk.platform.settings.database_url
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(f"UPDATE session.message SET {what}")


async def _lose_blobs(talk: Conversation) -> None:
    """Lose all bytes that are kept beside rows."""
    shutil.rmtree(urlsplit(talk.platform.settings.blobs_url).path)


async def test_a_session_is_opened_anywhere_by_sequence(talk: Conversation) -> None:
    session = await talk.create()
    for number in range(1, 6):
        await talk.say(session.id, f"Number {number}.")
    page = await talk.typed(session.id, after_sequence=2, limit=2)
    assert [message.sequence for message in page.items] == [3, 4]
    rest = await talk.typed(session.id, cursor=page.next_cursor, limit=2)
    assert [message.sequence for message in rest.items] == [5]
    with pytest.raises(aio.AioRpcError, match="exclude each other"):
        await talk.typed(session.id, after_sequence=2, time_desc=True)
