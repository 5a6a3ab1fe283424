"""RPCs as traces and metrics see them: around a behaviour, only where somebody watches."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from grpc import aio
from opentelemetry.trace import Status, StatusCode
from prometheus_client import Histogram

from acontext_server.kit.telemetry.metrics import RPC_SECONDS, RPCS_RUNNING
from acontext_server.kit.telemetry.traces import TRACE_KEY, begin, is_tracing

Context = aio.ServicerContext[Any, Any]
Unary = Callable[[Any, Context], Awaitable[bytes]]
Stream = Callable[[Any, Context], AsyncIterator[bytes]]

_BROKEN = {"INTERNAL", "UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED"}


class Watch:
    """Watches the RPCs of one service."""

    def __init__(self, service: str, *, counts: bool) -> None:
        self._service = service
        self._counts = counts
        self._running = RPCS_RUNNING.labels(service)
        self._timers: dict[tuple[str, str], Histogram] = {}

    def is_on(self) -> bool:
        """Say whether anything has to be done around an RPC."""
        return self._counts or is_tracing()

    def unary(self, path: str, behaviour: Unary) -> Unary:
        """Watch an RPC with one answer."""

        async def watched(request: Any, context: Context) -> bytes:
            with self._around(path, context):
                return await behaviour(request, context)

        return watched

    def stream(self, path: str, behaviour: Stream) -> Stream:
        """Watch an RPC with a stream of answers, from the first to the last."""

        async def watched(request: Any, context: Context) -> AsyncIterator[bytes]:
            with self._around(path, context):
                async for piece in behaviour(request, context):
                    yield piece

        return watched

    @contextmanager
    def _around(self, path: str, context: Context) -> Iterator[None]:
        span = begin(path.strip("/"), _parent(context)) if is_tracing() else None
        if self._counts:
            self._running.inc()
        began = time.perf_counter()
        code = "CANCELLED"
        try:
            yield
            code = "OK"
        except aio.AbortError:
            code = _code(context)
            raise
        finally:
            if self._counts:
                self._running.dec()
                self._timer(path, code).observe(time.perf_counter() - began)
            if span is not None:
                span.set_attribute("rpc.grpc.status_code", code)
                if code in _BROKEN:
                    span.set_status(Status(StatusCode.ERROR, code))
                span.end()

    def _timer(self, path: str, code: str) -> Histogram:
        timer = self._timers.get((path, code))
        if timer is None:
            method = path.rpartition("/")[2]
            timer = self._timers[path, code] = RPC_SECONDS.labels(self._service, method, code)
        return timer


def _parent(context: Context) -> str | None:
    for name, value in context.invocation_metadata() or ():
        if name == TRACE_KEY and isinstance(value, str):
            return value
    return None


def _code(context: Context) -> str:
    return context.code().name
