"""A collector of traces: a real server of the OTLP protocol, which keeps what it is sent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as stubs
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from acontext_server.kit.engines import free_port


@dataclass
class Collector(stubs.TraceServiceServicer):
    """What was sent so far."""

    url: str
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def Export(self, request: Any, context: Any) -> Any:
        for resource in request.resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return pb.ExportTraceServiceResponse()

    def of_trace(self, trace_id: str) -> list[Span]:
        """Give the spans of one trace, in the order in which they began."""
        mine = [one for one in self.spans if one.trace_id.hex() == trace_id]
        return sorted(mine, key=lambda one: one.start_time_unix_nano)


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector, in threads of its own: who sends to it waits for it when he ends."""
    address = f"127.0.0.1:{free_port()}"
    server = grpc.server(ThreadPoolExecutor(2))
    collector = Collector(f"http://{address}")
    add: Any = stubs.add_TraceServiceServicer_to_server  # the library has no types for it
    add(collector, server)
    server.add_insecure_port(address)
    server.start()
    try:
        yield collector
    finally:
        server.stop(1).wait()
