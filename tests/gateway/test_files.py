"""Files behind public URLs: raw bytes, ranges, and errors that stay JSON."""

import asyncio

import httpx
import pytest

from tests.gateway.backend import FILE
from tests.gateway.conftest import Gateway


async def test_a_file_comes_whole_with_its_type_and_length(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/blobs/good")
    assert (answer.status_code, answer.content) == (200, FILE)
    assert answer.headers["content-type"] == "text/x-log"
    assert answer.headers["content-length"] == str(len(FILE))


async def test_head_tells_what_get_would_send(rest: httpx.AsyncClient) -> None:
    head, get = await rest.head("/blobs/whole"), await rest.get("/blobs/whole")
    told = ("content-type", "content-length")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in told] == [get.headers[name] for name in told]


async def test_nothing_follows_an_answer_to_head(gateway: Gateway) -> None:
    reader, writer = await asyncio.open_connection(*gateway.address.split(":"))
    for path, status in (("/blobs/whole", 200), ("/blobs/missing", 404), ("/health", 200)):
        writer.write(f"HEAD {path} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
        told = await reader.readuntil(b"\r\n\r\n")
        assert told.startswith(f"HTTP/1.1 {status} ".encode())
    writer.write(b"GET /health HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_a_range_is_partial_content(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/blobs/good", headers={"range": "bytes=3-70000"})
    assert (answer.status_code, answer.content) == (206, FILE[3:70001])
    assert answer.headers["content-length"] == "69998"
    assert answer.headers["content-range"] == f"bytes 3-70000/{len(FILE)}"
    assert not [name for name in answer.headers if name.startswith("x-acontext-")]


async def test_a_missing_file_is_an_error_in_json(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/blobs/missing")
    expected = {"code": 404, "msg": "No such file.", "error": "SOME_REASON"}
    assert (answer.status_code, answer.json()) == (404, expected)


async def test_a_range_beyond_the_end_is_an_error_in_json(rest: httpx.AsyncClient) -> None:
    answer = await rest.get("/blobs/beyond")
    expected = {"code": 416, "msg": "No such bytes.", "error": "SOME_REASON"}
    assert (answer.status_code, answer.json()) == (416, expected)
    assert answer.headers["content-range"] == "bytes */9"


async def test_a_file_that_breaks_off_is_seen_to_be_broken(rest: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await rest.get("/blobs/broken", timeout=5)
