"""Every REST route, enumerated from the annotations, through a real Envoy: as the RPCs behind them.

A foreign id gets 404 in the one shape, to the last word what an id gets that nobody has.
"""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass

from acontext_server.gateway import build, render
from acontext_server.kit.engines import Envoy, free_port, supervise
from tests.services import SERVICES, Platform
from tests.tenants.belongings import Metadata
from tests.tenants.test_foreign_ids import FORM, JSON, TRIED, filled, tenants, without_ids

ROUTES = [(method, route) for method in TRIED for route in build.routes_of(method)]


@pytest.fixture
async def rest(platform: Platform, state_folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway in front of the platform."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    services = {name: getattr(platform.settings, f"{name}_address") for name in SERVICES}
    command = render(state_folder / "gateway", listen=address, services=services)
    async with supervise(state_folder) as supervisor:
        await supervisor.start(Envoy(command, host="127.0.0.1", port=port))
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as client:
            yield client


async def answer_of(
    rest: httpx.AsyncClient,
    method: MethodDescriptor,
    route: build.Route,
    ids: Mapping[str, str],
    key: Metadata,
) -> httpx.Response:
    """Call a route with everything that its request can name."""
    request = filled(GetMessageClass(method.input_type)(), ids)
    values = MessageToDict(request, preserving_proto_field_name=True)
    names = build.in_path(route)
    path = route.path.format(**{name: quote(str(values[name]), safe="") for name in names})
    query = {
        field.name: values[field.name]
        for field in build.in_query(method, route)
        if field.name in values
    }
    content, headers = _body(method, route, {k: v for k, v in values.items() if k not in names})
    return await rest.request(
        route.verb.upper(), path, params=query, content=content, headers={**headers, **dict(key)}
    )


def _body(
    method: MethodDescriptor, route: build.Route, values: Mapping[str, Any]
) -> tuple[bytes | None, dict[str, str]]:
    if not route.body:
        return None, {}
    if method.client_streaming:
        return FORM, {"content-type": "multipart/form-data; boundary=edge"}
    data = JSON if route.body != "*" else json.dumps(values).encode()
    return data, {"content-type": "application/json"}


def of_nobody(ids: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"someone-{uuid4().hex}" if "@" in value else str(uuid4())
        for name, value in ids.items()
    }


def _is_refused(answer: httpx.Response) -> bool:
    told = answer.json()
    return answer.status_code == 404 and set(told) == {"code", "msg", "error"}


def _is_empty(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.json()["data"] == {"items": [], "has_more": False}


async def test_routes_tell_foreign_ids_from_unknown_ones_by_nothing(
    platform: Platform, rest: httpx.AsyncClient
) -> None:
    owner, stranger = await tenants(platform)
    nobodys = of_nobody(owner.ids)
    told_apart, leaked = [], []
    for method, route in ROUTES:
        foreign = await answer_of(rest, method, route, owner.ids, stranger)
        missing = await answer_of(rest, method, route, nobodys, stranger)
        if (foreign.status_code, without_ids(foreign.text)) != (
            missing.status_code,
            without_ids(missing.text),
        ):
            told_apart.append((route.path, foreign.text, missing.text))
        if not (_is_refused(foreign) or _is_empty(foreign)):
            leaked.append((route.verb, route.path, foreign.status_code, foreign.text))
    assert len(ROUTES) > 45
    assert told_apart == []
    assert leaked == []


async def test_the_owner_s_reads_answer(platform: Platform, rest: httpx.AsyncClient) -> None:
    owner, _ = await tenants(platform)
    refused = []
    for method, route in ROUTES:
        if route.verb == "get" and not method.server_streaming:
            answer = await answer_of(rest, method, route, owner.ids, owner.key)
            if answer.status_code not in (200, 206):
                refused.append((route.path, answer.status_code, answer.text))
    assert refused == []
