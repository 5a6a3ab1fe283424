"""Operations: an RPC on one of its routes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor

from acontext.options.v1 import options_pb2 as options
from acontext_server.gateway.build import (
    Answer,
    Route,
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

IN_AN_ADDRESS = frozenset({"google.protobuf.Timestamp"})
"""Messages that are plain text in JSON."""

JSON = "application/json"
KEYS: Mapping[int, list[Schema]] = {
    options.CALLER_ANYONE: [],
    options.CALLER_OPERATOR: [{"operator": []}],
}
"""Which key opens an RPC; a project's key if it is not here."""


_ERROR: Schema = {"$ref": "#/components/responses/Error"}
_RANGE: Schema = {"$ref": "#/components/parameters/Range"}


def paths(
    methods: Iterable[MethodDescriptor], schemas: Schemas, words: Mapping[str, str]
) -> dict[str, dict[str, Schema]]:
    """Return the operations of all RPCs, by path and verb.

    Two RPCs on one route are one operation that takes either body.
    """
    found: dict[str, dict[str, Schema]] = {}
    for method in sorted(methods, key=lambda method: method.client_streaming):
        for number, route in enumerate(routes_of(method), 1):
            operation = _Operation(method, route, schemas, words).told(number)
            first = found.setdefault(route.path, {}).setdefault(route.verb, operation)
            if first is not operation:
                _join(first, operation)
    return found


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


def _join(first: Schema, second: Schema) -> None:
    bodies = [operation["requestBody"] for operation in (first, second)]
    contents = [body["content"] for body in bodies if isinstance(body, dict)]
    first["requestBody"] = {"content": contents[0] | contents[1], "required": True}
    words = f"{first['description']}\n\n{second['description']}".split("\n\n")
    first["description"] = "\n\n".join(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class _Operation:
    method: MethodDescriptor
    route: Route
    schemas: Schemas
    words: Mapping[str, str]

    def told(self, number: int) -> Schema:
        service = self.method.containing_service.name
        heading, rest = comments.told(self.method, self.words)
        if not self.route.body:  # else they stand at the schema of the body
            rest.append(self.schemas.words_of(self.method.input_type))
        operation: Schema = {
            "operationId": f"{service}_{self.method.name}{number if number > 1 else ''}",
            "tags": [service],
            "summary": heading,
            "description": "\n\n".join(rest),
            "parameters": self._parameters(),
            "responses": self._responses() | {"default": _ERROR},
        }
        if self.route.body:
            operation["requestBody"] = self._body()
        caller = self.method.GetOptions().Extensions[options.caller]
        if caller in KEYS:
            operation["security"] = KEYS[caller]
        return operation

    def _parameters(self) -> list[Schema]:
        fields = self.method.input_type.fields_by_name
        needed = required_fields(self.method.input_type)
        bound = [self._parameter(fields[name], "path", required=True) for name in self._bound()]
        queried = [
            self._parameter(field, "query", required=field.name in needed)
            for field in in_query(self.method, self.route)
        ]
        return [*bound, *queried, *([_RANGE] if sends_bytes(self.method) else [])]

    def _parameter(self, field: FieldDescriptor, place: str, *, required: bool) -> Schema:
        message = field.message_type
        if message is not None and message.full_name not in IN_AN_ADDRESS:
            raise UnfitContract(f"{field.full_name}: a message cannot stand in an address")
        schema = self.schemas.field(field, Way.REQUEST)
        description = schema.pop("description", None) or self._twins_words(field)
        parameter = {"name": field.name, "in": place, "required": required, "schema": schema}
        return parameter | ({"description": description} if description else {})

    def _twins_words(self, field: FieldDescriptor) -> str | None:
        twin = comments.typed_twin(self.method, self.words)
        return self.words.get(f"{twin.input_type.full_name}.{field.name}") if twin else None

    def _bound(self) -> list[str]:
        names = in_path(self.route)
        for name in names:
            if not name.isidentifier():
                raise UnfitContract(f"{self.route.path}: OpenAPI has no word for {name}")
        return names

    def _body(self) -> Schema:
        if self.route.body != "*":
            content = doors.body_of(rpc_of(self.method).path, self.schemas)
            return {"content": content, "required": True}
        bound = frozenset(self._bound())
        schema = self.schemas.refer(self.method.input_type, Way.REQUEST, without=bound)
        needed = required_fields(self.method.input_type) - bound
        return {"content": {JSON: {"schema": schema}}, "required": bool(needed)}

    def _responses(self) -> Schema:
        if sends_bytes(self.method):
            some = {"description": "The bytes.", "content": {"*/*": {}}}
            return {"200": some, "206": some | {"description": "The bytes of the range."}}
        words = self.schemas.words_of(self.method.output_type) or "Done."
        return {"200": {"description": words, "content": {JSON: {"schema": self._answer()}}}}

    def _answer(self) -> Schema:
        rpc, message = rpc_of(self.method), self.method.output_type
        match rpc.answer:
            case Answer.NOTHING:
                return envelope(None)
            case Answer.JSON:
                return envelope(doors.answer_of(rpc.path, self.schemas))
            case Answer.MESSAGE if rpc.member:
                return envelope(self._member(message.fields_by_name[rpc.member]))
            case Answer.MESSAGE:
                return envelope(self.schemas.refer(message, Way.ANSWER))
        whole = self.schemas.refer(message, Way.ANSWER)
        return {"type": "array", "items": whole} if self.method.server_streaming else whole

    def _member(self, field: FieldDescriptor) -> Schema:
        schema = self.schemas.value(field, Way.ANSWER)
        return or_null(schema) if may_be_unset(field) else schema
