"""How calls are made: with the key, within a time-out, again where that is safe."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from itertools import count
from typing import TypeVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from .._model import Model
from .._settings import Patience, is_repeatable, jitter, passes_by
from ..errors import AcontextError, error_of
from ..types.common import Page
from .line import AsyncLine, StreamUnary, UnaryStream, UnaryUnary, sleep
from .stubs import AsyncStubs

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer")
_Item = TypeVar("_Item")
_Own = TypeVar("_Own", bound=Model)

_STEADY_SECONDS = 1.0
"""A stream that lived so long was connected, whether or not something came."""


def new_request_id() -> str:
    """Make an id by which a repeated write is known."""
    return str(uuid4())


class AsyncConnection:
    """The line to the gateway, with a key and a measure of patience."""

    def __init__(self, line: AsyncLine, key: str, patience: Patience) -> None:
        self.line = line
        self.patience = patience
        self._key = key
        self._metadata = (("authorization", f"Bearer {key}"),)

    def with_options(self, *, timeout: float | None, max_retries: int | None) -> "AsyncConnection":
        """Give one on the same line with another patience."""
        patience = self.patience.with_options(timeout=timeout, max_retries=max_retries)
        return AsyncConnection(self.line, self._key, patience)

    @property
    def stubs(self) -> AsyncStubs:
        """What calls are made with."""
        return self.line.stubs

    async def call(
        self, method: "UnaryUnary[Request, Answer]", request: Request, *, at_least: float = 0.0
    ) -> Answer:
        """Call, and call again while that is safe and may help."""

        def attempt(seconds: float) -> Awaitable[Answer]:
            return method(request, timeout=seconds, metadata=self._metadata)

        return await self.attempted(attempt, again=is_repeatable(request), at_least=at_least)

    async def send(
        self, method: "StreamUnary[Request, Answer]", requests: Sequence[Request]
    ) -> Answer:
        """Send a stream of requests that the services answer once, again while that may help."""

        def attempt(seconds: float) -> Awaitable[Answer]:
            return method(iter(requests), timeout=seconds, metadata=self._metadata)

        return await self.attempted(attempt, again=True)

    async def upload(
        self,
        method: "StreamUnary[Request, Answer]",
        pieces: Callable[[], AsyncIterator[Request]],
        *,
        again: bool,
        extra_seconds: float,
    ) -> Answer:
        """Send a file in pieces; it gets more time than other calls, by its size."""

        def attempt(seconds: float) -> Awaitable[Answer]:
            return method(pieces(), timeout=seconds, metadata=self._metadata)

        at_least = self.patience.timeout + extra_seconds
        return await self.attempted(attempt, again=again, at_least=at_least)

    async def attempted(
        self,
        attempt: Callable[[float], Awaitable[Answer]],
        *,
        again: bool,
        at_least: float = 0.0,
    ) -> Answer:
        """Make attempts until one succeeds, or none is left, or the time is over."""
        deadline = time.monotonic() + max(self.patience.timeout, at_least)
        for number in count():
            try:
                return await attempt(deadline - time.monotonic())
            except grpc.RpcError as error:
                failure = error_of(error)
            pause = self.patience.pause(failure, attempt=number) if again else None
            if pause is None or time.monotonic() + pause >= deadline:
                raise failure
            await sleep(pause)
        raise AssertionError  # count never ends

    async def stream(
        self,
        method: "UnaryStream[Request, Answer]",
        request: Request,
        *,
        wait_for_ready: bool = False,
    ) -> AsyncGenerator[Answer, None]:
        """Receive a stream as it comes; leaving it ends it for the services too."""
        call = method(request, metadata=self._metadata, wait_for_ready=wait_for_ready)
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise error_of(error) from error
        finally:
            call.cancel()

    async def follow(
        self, method: "Callable[[], UnaryStream[Request, Answer]]", request: Request
    ) -> AsyncGenerator[Answer, None]:
        """Receive a stream that never ends, opened anew whenever it breaks.

        The caller writes into the request where it has come to. Closing the client ends it.
        """
        connected, failures = False, 0
        while not self.line.closed:
            began = time.monotonic()
            try:
                stream = self.stream(method(), request, wait_for_ready=connected)
                async with aclosing(stream):
                    async for answer in stream:
                        connected, failures = True, 0
                        yield answer
            except AcontextError as failure:
                connected = connected or time.monotonic() - began > _STEADY_SECONDS
                if self.line.closed:
                    return
                if not passes_by(failure) or (not connected and failures >= self.patience.retries):
                    raise
            await sleep(jitter(failures))
            failures += 1


class AsyncResource:
    """Calls that belong together."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def _stubs(self) -> AsyncStubs:
        return self._connection.stubs


async def every_page(
    ask: Callable[[str | None], Awaitable[Page[_Own]]],
) -> AsyncIterator[_Own]:
    """Go through a list page by page."""
    cursor: str | None = None
    while True:
        page = await ask(cursor)
        for item in page.items:
            yield item
        if not page.has_more:
            return
        cursor = page.next_cursor


def batches(items: Iterable[_Item], size: int) -> Iterable[list[_Item]]:
    """Cut into lists of at most this size."""
    batch: list[_Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
