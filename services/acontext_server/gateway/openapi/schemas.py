"""Schemas of messages, as they cross into JSON and back.

Answers and requests differ. In an answer a field that is not `optional` is always there, since the
transcoder prints zeros and services set their messages; in a request all may be left out but what a
rule of the contract asks for.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from acontext.options.v1 import options_pb2 as options
from acontext_server.gateway.build import FREE_JSON, OMITTED_WHEN_EMPTY, UnfitContract
from acontext_server.gateway.openapi.limits import (
    Schema,
    limits,
    limits_of_items,
    required_fields,
    sentences,
)

SCALARS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
}
WELL_KNOWN: Mapping[str, Schema] = {
    FREE_JSON: {"type": "object"},
    # Names of fields with commas between them.
    "google.protobuf.FieldMask": {"type": "string", "format": "field-mask"},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}


class Way(StrEnum):
    """Which way a message goes."""

    ANSWER = "answer"
    REQUEST = "request"


class Schemas:
    """The schemas that were referred to so far, each under one name."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self.written: dict[str, Schema] = {}
        self._comments = comments
        self._meant: dict[str, object] = {}

    def refer(
        self, message: Descriptor, way: Way, *, without: Collection[str] = frozenset()
    ) -> Schema:
        """Return a reference to a message's schema, which has no fields of those names."""
        name = _name(message, way)
        meaning = (message.full_name, frozenset(without))
        if self._meant.setdefault(name, meaning) != meaning:
            raise UnfitContract(f"{name}: both {self._meant[name]} and {meaning}")
        if name not in self.written:
            self.written[name] = {}  # a message may hold itself
            self.written[name] = self._object(message, way, without)
        return reference(name)

    def define(self, name: str, schema: Schema) -> Schema:
        """Keep a schema that is no message's own, and return a reference to it."""
        self.written[name] = schema
        return reference(name)

    def words_of(self, message: Descriptor) -> str:
        """Return the comment of a message."""
        return self._comments.get(message.full_name, "")

    def field(self, field: FieldDescriptor, way: Way) -> Schema:
        """Return the schema of one field with its words."""
        schema = self.value(field, way)
        words = [self._comments.get(field.full_name, ""), *sentences(field)]
        description = " ".join(word for word in words if word)
        return schema | {"description": description} if description else schema

    def value(self, field: FieldDescriptor, way: Way) -> Schema:
        """Return what a field holds."""
        if held := _value_of_map(field):
            return {"type": "object", "additionalProperties": self.value(held, way)}
        if field.is_repeated:
            items = self._single(field, way) | limits_of_items(field)
            return {"type": "array", "items": items} | limits(field)
        schema = self._single(field, way) | limits(field)
        return or_null(schema) if _is_nullable(field) else schema

    def _single(self, field: FieldDescriptor, way: Way) -> Schema:
        message = field.message_type
        if message is not None and message.full_name not in WELL_KNOWN:
            return self.refer(message, way)
        known = WELL_KNOWN[message.full_name] if message else SCALARS.get(field.type)
        if known is None:
            raise UnfitContract(f"{field.full_name}: JSON clients cannot read this type")
        return dict(known)

    def _object(self, message: Descriptor, way: Way, without: Collection[str]) -> Schema:
        fields = [field for field in message.fields if field.name not in without]
        needed = required_fields(message) if way is Way.REQUEST else _always_there(message)
        required = [field.name for field in fields if field.name in needed]
        schema: Schema = {
            "type": "object",
            "properties": {field.name: self.field(field, way) for field in fields},
        }
        if required:
            schema["required"] = required
        if description := self.words_of(message):
            schema["description"] = description
        return schema


def reference(name: str) -> Schema:
    """Return a reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(schema: Schema) -> Schema:
    """Return a schema that takes null too."""
    return {"anyOf": [schema, {"type": "null"}]}


def may_be_unset(field: FieldDescriptor) -> bool:
    """Say whether an answer may lack the field."""
    return field.containing_oneof is not None  # what is `optional` has a oneof of its own


def _name(message: Descriptor, way: Way) -> str:
    name: str = message.name
    of_both_ways = way is Way.REQUEST and not name.endswith("Request")
    return f"{name}Input" if of_both_ways else name


def _always_there(message: Descriptor) -> set[str]:
    return {
        field.name
        for field in message.fields
        if field.name not in OMITTED_WHEN_EMPTY and (_is_nullable(field) or not may_be_unset(field))
    }


def _is_nullable(field: FieldDescriptor) -> bool:
    return bool(field.GetOptions().Extensions[options.nullable])


def _value_of_map(field: FieldDescriptor) -> FieldDescriptor | None:
    message = field.message_type
    if message is None or not message.GetOptions().map_entry:
        return None
    return message.fields_by_name["value"]
