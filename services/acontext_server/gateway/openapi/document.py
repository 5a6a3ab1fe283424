"""The document as a whole, and what in it comes from no contract."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version

from google.protobuf.descriptor import FileDescriptor

from acontext_server.gateway import build
from acontext_server.gateway.openapi import comments
from acontext_server.gateway.openapi.limits import Schema
from acontext_server.gateway.openapi.operations import JSON, envelope, paths
from acontext_server.gateway.openapi.schemas import Schemas

DESCRIPTION = """\
Every JSON answer has one shape: `{"code": 0, "data": …, "msg": ""}`, or for an error
`{"code": <HTTP status>, "msg": "<a sentence>", "error": "<a stable reason>"}`. An answer without \
`data` says only that it is done.

In requests `null` means absent, an empty body means `{}`, unknown keys and parameters are \
ignored, and booleans in an address are `true` or `false`. A JSON body has at most 32 MiB. Ids are \
UUIDs in lower case, times are RFC 3339.

The same methods are served over gRPC and gRPC-Web on this port, with reflection."""

KEYS: Schema = {
    "project": {
        "type": "http",
        "scheme": "bearer",
        "description": "A project's key, `sk-ac-…`, which selects the project.",
    },
    "operator": {
        "type": "http",
        "scheme": "bearer",
        "description": "The operator's key, `ACONTEXT_ADMIN_KEY`.",
    },
}
RANGE: Schema = {
    "name": "Range",
    "in": "header",
    "description": "One range of bytes, `bytes=0-1023`.",
    "schema": {"type": "string"},
}


def document(files: Iterable[FileDescriptor]) -> Schema:
    """Return the OpenAPI 3.1 document of these contracts.

    Raise `UnfitContract` where JSON clients could not be told what to expect.
    """
    told, files = comments.read(), list(files)
    schemas = Schemas(told)
    methods = [method for method in build.methods(files) if build.routes_of(method)]
    operations = _own_routes() | paths(methods, schemas, told)
    services = {method.containing_service for method in methods}
    tags = [{"name": one.name, "description": told[one.full_name]} for one in services]
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/"}],
        "security": [{"project": []}],
        "tags": sorted(tags, key=lambda tag: tag["name"]),
        "paths": dict(sorted(operations.items())),
        "components": _components(schemas, files, told),
    }


def _info() -> Schema:
    return {
        "title": "Acontext",
        "summary": "Store what agents say and make, observe their tasks, learn skills.",
        "description": DESCRIPTION,
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        "version": version("acontext-server"),
    }


def _components(
    schemas: Schemas, files: Iterable[FileDescriptor], told: Mapping[str, str]
) -> Schema:
    error = schemas.define("Error", _error(_reasons(files, told)))
    failed = {"description": "It failed.", "content": {JSON: {"schema": error}}}
    return {
        "securitySchemes": KEYS,
        "parameters": {"Range": RANGE},
        "responses": {"Error": failed},
        "schemas": dict(sorted(schemas.written.items())),
    }


def _error(reasons: Mapping[str, str]) -> Schema:
    lines = [f"- `{reason}`: {words}" for reason, words in sorted(reasons.items())]
    return {
        "type": "object",
        "properties": {
            "code": {"type": "integer", "minimum": 400, "description": "The HTTP status."},
            "msg": {"type": "string", "description": "A sentence for a developer."},
            "error": {
                "type": "string",
                "enum": sorted(reasons),
                "description": "\n".join(["A stable reason, where there is one.", "", *lines]),
            },
        },
        "required": ["code", "msg"],
    }


def _reasons(files: Iterable[FileDescriptor], told: Mapping[str, str]) -> Mapping[str, str]:
    enums = [enum for file in files for enum in file.enum_types_by_name.values()]
    return {
        value.name.removeprefix("ERROR_REASON_"): told[f"{enum.full_name}.{value.name}"]
        for enum in enums
        if enum.name == "ErrorReason"
        for value in enum.values
        if value.number
    }


def _own_routes() -> dict[str, dict[str, Schema]]:
    return {
        "/health": _own("health", "Says that the gateway is up.", envelope(None)),
        "/openapi.json": _own("openapi", "Returns this document.", {"type": "object"}),
    }


def _own(name: str, summary: str, schema: Schema) -> dict[str, Schema]:
    ok = {"description": summary, "content": {JSON: {"schema": schema}}}
    responses: Schema = {"200": ok}
    return {
        "get": {"operationId": name, "summary": summary, "responses": responses, "security": []}
    }
