"""A small HTTP server that speaks the OpenAI API as a script says; its clients are the real ones.

Each model has a script of its own: a list of replies, given in turn. One that is at its end says
500, so that nothing unforeseen passes for an answer.
"""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One answer of the endpoint."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: str = "whole"
    """`whole`, `reset` before anything was said, `hang` for ever, or `cut` in the body."""
    seconds: float = 0
    """How long it takes."""


Step = Reply | Callable[[Json], Reply]
"""A reply, or what makes it of the request."""


USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def completion(message: Json, *, finish_reason: str = "stop", usage: Json | None = USAGE) -> Reply:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "scripted",
        "choices": [{**choice, "finish_reason": finish_reason}],
        "usage": usage,
    }
    return Reply(json.dumps(body).encode())


def call(name: str, **arguments: Any) -> tuple[str, str]:
    """A tool call."""
    return name, json.dumps(arguments)


def calls(*made: tuple[str, str], finish_reason: str = "tool_calls") -> Reply:
    """A completion with tool calls, in parallel."""
    tool_calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": text}}
        for number, (name, text) in enumerate(made)
    ]
    message = {"content": None, "tool_calls": tool_calls}
    return completion(message, finish_reason=finish_reason)


def says(text: str) -> Reply:
    """A completion with text only."""
    return completion({"content": text})


def error(status: int, message: str = "no", **headers: str) -> Reply:
    """An error, as the API words it."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": None}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(body, status=status, headers=named)


FINISH = call("finish")
RESET = Reply(ending="reset")
HANG = Reply(ending="hang")
CUT = Reply(says("never whole").body, ending="cut")
TRUNCATED = Reply(says("half of it").body[:-20])


class Endpoint:
    """What the server is to say, and what it was asked."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Step]] = defaultdict(list)
        self.otherwise: dict[str, Step] = {}
        """What a model says once its script is at its end."""
        self.asked: list[Json] = []
        """Bodies of the requests, oldest first."""
        self.headers: list[Mapping[str, str]] = []
        self.open = 0
        """Requests that are being answered."""
        self.most_open = 0
        self.came = asyncio.Event()
        """A request came."""
        self.left = asyncio.Event()
        """A client went away before it had an answer."""
        self.host = ""

    @property
    def url(self) -> str:
        """The setting that leads here."""
        return f"openai://{self.host}/v1?secure=false"

    def script(self, *steps: Step, model: str = "scripted") -> None:
        """Say these next."""
        self.scripts[model].extend(steps)

    def asked_of(self, model: str) -> list[Json]:
        """Requests for one model."""
        return [one for one in self.asked if one["model"] == model]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                await self._answer(*request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(
        self,
        path: str,
        headers: Mapping[str, str],
        body: Json,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.asked.append(body)
        self.headers.append(headers)
        self.open += 1
        self.came.set()
        self.most_open = max(self.open, self.most_open)
        try:
            await _say(self._reply(path, body), reader, writer, self.left)
        finally:
            self.open -= 1

    def _reply(self, path: str, body: Json) -> Reply:
        script = self.scripts[body["model"]]
        if not script and path.endswith("/embeddings"):
            return embeddings(body)
        if not script and body["model"] in self.otherwise:
            script = [self.otherwise[body["model"]]]
        if not script:
            return error(500, "the script is at its end")
        step = script.pop(0)
        return step if isinstance(step, Reply) else step(body)


async def _read(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, str], Json] | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in lines if line)
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return first.split()[1], headers, json.loads(body)


async def _say(
    reply: Reply,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    left: asyncio.Event,
) -> None:
    if reply.ending == "reset":
        writer.transport.abort()
        raise ConnectionResetError
    if reply.ending == "hang":
        await reader.read(1)
        left.set()
        raise ConnectionResetError
    await asyncio.sleep(reply.seconds)
    headers = {"content-type": "application/json", "content-length": str(len(reply.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **reply.headers}.items())
    body = reply.body[:-20] if reply.ending == "cut" else reply.body
    writer.write(f"HTTP/1.1 {reply.status} Scripted\r\n{lines}\r\n".encode() + body)
    await writer.drain()
    if reply.ending == "cut":
        raise ConnectionResetError


def embeddings(body: Json) -> Reply:
    """Vectors of the texts' words, in the wrong order and three times as long as they should be."""
    items = [
        {"object": "embedding", "index": index, "embedding": vector_of(text)}
        for index, text in enumerate(body["input"])
    ]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    answer = {"object": "list", "model": body["model"], "data": items[::-1], "usage": usage}
    return Reply(json.dumps(answer).encode())


def vector_of(text: str, dimension: int = 64) -> list[float]:
    """Count the words of a text, each at a place of its own."""
    vector = [0.0] * dimension
    for word in text.casefold().split() or [""]:
        place = int(hashlib.sha256(word.encode()).hexdigest(), 16) % dimension
        vector[place] += 3.0
    return vector


@asynccontextmanager
async def scripted_endpoint() -> AsyncIterator[Endpoint]:
    """Serve on a free port."""
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    endpoint.host = f"{host}:{port}"
    async with server:
        yield endpoint
