"""Operations: an RPC on one of its routes."""

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

from acontext.options.v1 import options_pb2 as options
from acontext_server.gateway.build import (
    Answer,
    Route,
    Rpc,
    UnfitContract,
    in_path,
    in_query,
    routes_of,
    rpc_of,
    sends_bytes,
)
from acontext_server.gateway.openapi import comments, doors
from acontext_server.gateway.openapi.limits import Schema, required_fields
from acontext_server.gateway.openapi.schemas import Schemas, Way, may_be_unset, or_null

JSON = "application/json"
KEYS: Mapping[int, list[Schema]] = {
    options.CALLER_ANYONE: [],
    options.CALLER_OPERATOR: [{"operator": []}],
}
"""Which key opens an RPC; a project's key if it is not here."""


def paths(
    methods: Iterable[MethodDescriptor], schemas: Schemas, told: Mapping[str, str]
) -> dict[str, Schema]:
    """Return the operations of all RPCs, by path and verb.

    Two RPCs on one route are one operation that takes either body.
    """
    found: dict[str, dict[str, Schema]] = {}
    for method in sorted(methods, key=lambda method: method.client_streaming):
        for number, route in enumerate(routes_of(method), 1):
            operation = _operation(method, route, number, schemas, told)
            verbs = found.setdefault(route.path, {})
            first = verbs.setdefault(route.verb, operation)
            if first is not operation:
                _join(first, operation)
    return {path: dict(verbs) for path, verbs in found.items()}


def envelope(data: Schema | None) -> Schema:
    """Return the schema of a success; without data it has none."""
    properties: Schema = {"code": {"const": 0}, "msg": {"type": "string"}}
    if data is None:
        return {"type": "object", "properties": properties, "required": ["code", "msg"]}
    return {
        "type": "object",
        "properties": properties | {"data": data},
        "required": ["code", "data", "msg"],
    }


def _operation(
    method: MethodDescriptor, route: Route, number: int, schemas: Schemas, told: Mapping[str, str]
) -> Schema:
    service = method.containing_service.name
    heading, rest = comments.told(method, told)
    if not route.body:  # else they stand at the schema of the body
        rest.append(schemas.words_of(method.input_type))
    operation: Schema = {
        "operationId": f"{service}_{method.name}{number if number > 1 else ''}",
        "tags": [service],
        "summary": heading,
        "description": "\n\n".join(rest),
        "parameters": _parameters(method, route, schemas, told),
        "responses": _responses(method, schemas) | {"default": _ERROR},
    }
    if route.body:
        operation["requestBody"] = _body(method, route, schemas)
    caller = method.GetOptions().Extensions[options.caller]
    if caller in KEYS:
        operation["security"] = KEYS[caller]
    return operation


_ERROR: Schema = {"$ref": "#/components/responses/Error"}
_RANGE: Schema = {"$ref": "#/components/parameters/Range"}


def _join(first: Schema, second: Schema) -> None:
    bodies = [operation["requestBody"] for operation in (first, second)]
    contents = [body["content"] for body in bodies if isinstance(body, dict)]
    first["requestBody"] = {"content": contents[0] | contents[1], "required": True}
    words = f"{first['description']}\n\n{second['description']}".split("\n\n")
    first["description"] = "\n\n".join(dict.fromkeys(words))


def _parameters(
    method: MethodDescriptor, route: Route, schemas: Schemas, told: Mapping[str, str]
) -> list[Schema]:
    twin = comments.typed_twin(method, told)
    words = (
        {field.name: told.get(field.full_name) for field in twin.input_type.fields} if twin else {}
    )
    fields = method.input_type.fields_by_name
    needed = required_fields(method.input_type)
    bound = [_parameter(fields[name], "path", True, schemas, words) for name in _bound(route)]
    queried = [
        _parameter(field, "query", field.name in needed, schemas, words)
        for field in in_query(method, route)
    ]
    return [*bound, *queried, *([_RANGE] if sends_bytes(method) else [])]


def _parameter(
    field: FieldDescriptor,
    place: str,
    required: bool,
    schemas: Schemas,
    words: Mapping[str, str | None],
) -> Schema:
    if field.message_type is not None:
        raise UnfitContract(f"{field.full_name}: a message cannot stand in an address")
    schema = schemas.field(field, Way.REQUEST)
    description = schema.pop("description", None) or words.get(field.name)
    parameter = {"name": field.name, "in": place, "required": required, "schema": schema}
    return parameter | ({"description": description} if description else {})


def _bound(route: Route) -> list[str]:
    names = in_path(route)
    for name in names:
        if not name.isidentifier():
            raise UnfitContract(f"{route.path}: OpenAPI has no word for {name}")
    return names


def _body(method: MethodDescriptor, route: Route, schemas: Schemas) -> Schema:
    if route.body != "*":
        return {"content": doors.body_of(rpc_of(method).path, schemas), "required": True}
    bound = frozenset(_bound(route))
    schema = schemas.refer(method.input_type, Way.REQUEST, without=bound)
    needed = required_fields(method.input_type) - bound
    return {"content": {JSON: {"schema": schema}}, "required": bool(needed)}


def _responses(method: MethodDescriptor, schemas: Schemas) -> Schema:
    if sends_bytes(method):
        some = {"description": "The bytes.", "content": {"*/*": {}}}
        return {"200": some, "206": some | {"description": "The bytes of the range."}}
    schema = _answer(rpc_of(method), method, schemas)
    words = schemas.words_of(method.output_type) or "Done."
    return {"200": {"description": words, "content": {JSON: {"schema": schema}}}}


def _answer(rpc: Rpc, method: MethodDescriptor, schemas: Schemas) -> Schema:
    match rpc.answer:
        case Answer.NOTHING:
            return envelope(None)
        case Answer.JSON:
            return envelope(doors.answer_of(rpc.path, schemas))
        case Answer.MESSAGE if rpc.member:
            return envelope(_member(method.output_type.fields_by_name[rpc.member], schemas))
        case Answer.MESSAGE:
            return envelope(schemas.refer(method.output_type, Way.ANSWER))
    whole = schemas.refer(method.output_type, Way.ANSWER)
    return {"type": "array", "items": whole} if method.server_streaming else whole


def _member(field: FieldDescriptor, schemas: Schemas) -> Schema:
    schema = schemas.value(field, Way.ANSWER)
    return or_null(schema) if may_be_unset(field) else schema
