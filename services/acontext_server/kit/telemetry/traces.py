"""Traces: one joins a caller's own, the message, the run that observed it and the skill.

What goes on now travels as a W3C `traceparent`: in the metadata of calls, the headers of events
and the rows by which work waits. Spans hold names, ids and outcomes, never content.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from opentelemetry import context, propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from acontext_server.kit.config import Settings

TRACE_KEY = "traceparent"

_tracer: trace.Tracer | None = None
"""One per process, as OpenTelemetry's own; None means that nothing is traced."""


@contextmanager
def tracing(settings: Settings, services: str) -> Iterator[None]:
    """Send spans to `ACONTEXT_OTLP_URL` until left, if it is set."""
    global _tracer
    if not settings.otlp_url:
        yield
        return
    # The SDK and its exporter take a tenth of a second to import and ten megabytes.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({"service.name": f"acontext-{services}"}))
    exporter = OTLPSpanExporter(settings.otlp_url, insecure=settings.otlp_url.startswith("http:"))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("acontext_server")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def is_tracing() -> bool:
    """Say whether spans are sent anywhere."""
    return _tracer is not None


def carried() -> str | None:
    """Give the traceparent of what goes on now; None where nothing is traced."""
    if _tracer is None:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get(TRACE_KEY)


def begin(name: str, parent: str | None) -> Span:
    """Begin the span of an RPC, which goes on for the rest of this task; end it yourself."""
    assert _tracer is not None
    # Nothing is put back afterwards: the task ends with the RPC, a stream's perhaps elsewhere.
    above = propagate.extract({TRACE_KEY: parent}) if parent else None
    span = _tracer.start_span(name, above, SpanKind.SERVER)
    context.attach(trace.set_span_in_context(span))
    structlog.contextvars.bind_contextvars(trace_id=_trace_id(span))
    return span


@contextmanager
def traced(
    name: str,
    parent: str | None = None,
    *,
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, str] | None = None,
) -> Iterator[Span]:
    """Make a span of a piece of work, below `parent` or else below what goes on now."""
    if _tracer is None:
        yield trace.INVALID_SPAN
        return
    above = propagate.extract({TRACE_KEY: parent}) if parent else None
    span = _tracer.start_span(name, above, kind, dict(attributes or {}))
    with (
        # The text of an exception may be a user's, so its type is all that is told.
        trace.use_span(span, True, record_exception=False, set_status_on_exception=False),
        structlog.contextvars.bound_contextvars(trace_id=_trace_id(span)),
    ):
        try:
            yield span
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _trace_id(span: Span) -> str:
    return format(span.get_span_context().trace_id, "032x")
