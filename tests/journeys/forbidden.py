"""Requests that an OpenAPI document forbids: each breaks one rule of one operation."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.journeys.documented import Document, Json, Operation

UNKNOWN_ID = "0198c0de-0000-7000-8000-000000000000"
_JSON = "application/json"


class Forbidden(NamedTuple):
    """A request that has to be refused."""

    what: str
    body: Json
    given: dict[str, Json]


def forbidden(operation: Operation, document: Document) -> Iterator[Forbidden]:
    """Break each rule for the path, the query and the JSON body of an operation."""
    body = _body(operation)
    fine = _example(body, document) if body else None
    parameters = operation.parameters("path") | operation.parameters("query")
    given = {
        name: _example(told["schema"], document)
        for name, told in parameters.items()
        if told["required"]
    }
    for name, told in parameters.items():
        for bad in _broken(told["schema"], document):
            if not (bad == "" and told["in"] == "path"):  # that is another path
                yield Forbidden(f"{name}={bad!r}"[:80], fine, {**given, name: bad})
        if told["required"] and told["in"] == "query":
            without = {key: value for key, value in given.items() if key != name}
            yield Forbidden(f"no {name}", fine, without)
    for bad in _broken(body, document) if body else ():
        yield Forbidden(repr(bad)[:80], bad, given)


def _body(operation: Operation) -> Json:
    content = operation.told.get("requestBody", {}).get("content", {})
    return content.get(_JSON, {}).get("schema")


def _example(schema: Json, document: Document) -> Json:
    schema = document.resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            told = schema.get("properties", {})
            return {name: _example(told[name], document) for name in schema.get("required", [])}
        case "array":
            return [_example(schema["items"], document)] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
    return UNKNOWN_ID if schema.get("format") == "uuid" else "x"


def _broken(schema: Json, document: Document) -> Iterator[Json]:
    schema = document.resolved(schema)
    match schema["type"]:
        case "object":
            yield from _broken_object(schema, document)
        case "array":
            yield from _broken_array(schema, document)
        case "integer" | "number":
            yield from _broken_number(schema)
        case "boolean":
            yield "maybe"
        case "string":
            yield from _broken_text(schema)


def _broken_object(schema: Json, document: Document) -> Iterator[Json]:
    fine = _example(schema, document)
    for name in fine:
        yield {key: value for key, value in fine.items() if key != name}
    for name, told in schema.get("properties", {}).items():
        for bad in _broken(told, document):
            yield {**fine, name: bad}


def _broken_array(schema: Json, document: Document) -> Iterator[Json]:
    item = _example(schema["items"], document)
    if schema.get("minItems"):
        yield []
    if "maxItems" in schema:
        yield [item] * (schema["maxItems"] + 1)
    for bad in _broken(schema["items"], document):
        yield [bad]


def _broken_number(schema: Json) -> Iterator[Json]:
    yield "many"
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "exclusiveMinimum" in schema:
        yield schema["exclusiveMinimum"]
    if "maximum" in schema:
        yield schema["maximum"] + 1


def _broken_text(schema: Json) -> Iterator[str]:
    if schema.get("format") == "uuid":
        yield "no-uuid"
    if "enum" in schema:
        yield "nonsense"
    if schema.get("minLength"):
        yield ""
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
