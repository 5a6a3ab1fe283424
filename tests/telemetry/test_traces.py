"""One trace joins the caller's own, the message, the run that observed it and the skill."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from grpc import aio

from acontext.session import v1 as session
from acontext_server.gateway import render
from acontext_server.kit.engines import Envoy, free_port, supervise
from acontext_server.kit.telemetry.traces import carried, traced, tracing
from tests.journeys.test_openapi import conversation
from tests.services import SERVICES, Platform
from tests.telemetry.collector import Collector, collecting

SECONDS = 60


@pytest.fixture
def collector(platform: Platform) -> Iterator[Collector]:
    """A collector to which every service of the platform is to send its spans."""
    with collecting() as collector:
        platform.settings.otlp_url = collector.url
        yield collector


@pytest.fixture
async def rest(platform: Platform, state_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway in front of the platform."""
    port = free_port()
    command = render(
        state_folder / "gateway",
        listen=f"127.0.0.1:{port}",
        services={name: platform.settings.addresses[name] for name in SERVICES},
    )
    async with supervise(state_folder) as supervisor:
        await supervisor.start(Envoy(command, host="127.0.0.1", port=port))
        base = f"http://127.0.0.1:{port}/api/v1"
        async with httpx.AsyncClient(
            base_url=base, timeout=30, headers=dict(platform.key)
        ) as client:
            yield client


async def asked(rest: httpx.AsyncClient, verb: str, path: str, **sent: Any) -> Any:
    answer = await rest.request(verb, path, **sent)
    assert answer.status_code == 200, answer.text
    return answer.json().get("data")


async def until_learned(rest: httpx.AsyncClient, space_id: str) -> None:
    end = time.monotonic() + SECONDS
    while not (await asked(rest, "GET", f"/space/{space_id}/skill"))["items"]:
        assert time.monotonic() < end, "nothing was learned"
        await asyncio.sleep(0.2)


async def test_one_trace_joins_call_message_run_and_skill(
    platform: Platform, collector: Collector, rest: httpx.AsyncClient
) -> None:
    platform.settings.minimum_difficulty = 0
    trace_id, caller_span = uuid4().hex, uuid4().hex[:16]
    headers = {"traceparent": f"00-{trace_id}-{caller_span}-01"}
    with tracing(platform.settings, "all"):
        await platform.start(*SERVICES)
        space_id = (await asked(rest, "POST", "/space", json={}))["id"]
        made = await asked(rest, "POST", "/session", json={"space_id": space_id})
        messages = f"/session/{made['id']}/messages"
        for message in conversation("Lisbon", 240):
            await asked(rest, "POST", messages, json={"blob": message}, headers=headers)
        await asked(rest, "POST", f"/session/{made['id']}/flush")
        await until_learned(rest, space_id)
        await platform.stop(*SERVICES)
    spans = collector.of_trace(trace_id)
    by_id = {one.span_id: one for one in spans}
    names = [one.name for one in spans]
    assert names[0] == "acontext.session.v1.SessionService/StoreMessageJson"
    assert spans[0].parent_span_id.hex() == caller_span
    learned = next(one for one in spans if one.name == "learn")
    assert line_of(learned, by_id) == [
        "learn",
        "event space",
        "observe",
        "event observer-nudges",
        "acontext.session.v1.SessionService/StoreMessageJson",
    ]
    # What the run and the lesson asked others for is below them.
    below = {one.name for one in spans if one.parent_span_id == learned.span_id}
    assert any(name.startswith("acontext.observer.v1.TaskService/") for name in below)


def line_of(span: Any, by_id: dict[bytes, Any]) -> list[str]:
    line = []
    while span is not None:
        line.append(span.name)
        span = by_id.get(span.parent_span_id)
    return line


async def test_a_refused_call_is_told_by_its_code_and_not_by_its_words(
    platform: Platform, collector: Collector
) -> None:
    with tracing(platform.settings, "session"):
        await platform.start("session")
        stub = session.SessionServiceStub(platform.channel("session"))
        with pytest.raises(aio.AioRpcError):
            await stub.GetSession(
                session.GetSessionRequest(session_id="a secret word"), metadata=platform.key
            )
        await platform.stop("session")
    (span,) = [one for one in collector.spans if one.name.endswith("/GetSession")]
    told = {one.key: one.value.string_value for one in span.attributes}
    assert told["rpc.grpc.status_code"] == "INVALID_ARGUMENT"
    assert "secret" not in str(span)
    assert collector.services == {"acontext-session"}


async def test_without_the_setting_nothing_is_made_or_carried(platform: Platform) -> None:
    with tracing(platform.settings, "session"), traced("work"):
        assert carried() is None
