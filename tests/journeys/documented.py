"""A client that knows the API from its OpenAPI document alone, and holds answers against it."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from jsonschema import Draft202012Validator

Json = Any
"""Whatever JSON may be; a test looks into it as it likes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb on one path."""

    verb: str
    path: str
    told: Mapping[str, Json]

    @property
    def name(self) -> str:
        """`GetSession` of `SessionService_GetSession`."""
        name: str = self.told["operationId"].rpartition("_")[2]
        return name

    def parameters(self, place: str) -> dict[str, Json]:
        """Give the parameters in the path or in the query, by name."""
        told = self.told.get("parameters", [])
        return {one["name"]: one for one in told if one.get("in") == place}


class Document:
    """The document, read strictly: what it does not name must not be there."""

    def __init__(self, document: Json) -> None:
        self._components = _closed(document["components"])
        self.operations = {
            operation.name: operation
            for path, verbs in document["paths"].items()
            for verb, told in verbs.items()
            for operation in [Operation(verb, path, told)]
        }

    def mistakes(self, schema: Json, value: Json) -> list[str]:
        """Say in what a value is not as its schema says."""
        root = {"allOf": [_closed(schema)], "components": self._components}
        validator = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def resolved(self, schema: Json) -> Json:
        """Give the schema that a reference means."""
        name = schema.get("$ref", "").rpartition("/")[2]
        return self._components["schemas"][name] if name else schema

    def answer(self, operation: Operation, status: int) -> Mapping[str, Json]:
        """Give the media types of an answer."""
        told = operation.told["responses"]
        answer = told.get(str(status)) or told["default"]
        name = answer.get("$ref", "").rpartition("/")[2]
        content: Mapping[str, Json] = (self._components["responses"][name] if name else answer)[
            "content"
        ]
        return content


def _closed(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(deepcopy(item)) for name, item in schema.items()}
    if "properties" in closed and "type" in closed:
        closed.setdefault("additionalProperties", False)
    return closed


@dataclass
class Api:
    """Calls by the names of the operations."""

    http: httpx.AsyncClient
    document: Document
    answered: set[str] = field(default_factory=set)

    async def __call__(
        self, name: str, /, body: Json = None, *, files: Json = None, **given: Json
    ) -> Json:
        """Call an operation that succeeds, and give its data, or the bytes of a file."""
        answer = await self.ask(name, body, files=files, **given)
        assert answer.status_code in (200, 206), (name, answer.text)
        self.answered.add(name)
        if answer.headers["content-type"] != "application/json":
            return answer.content
        told = answer.json()
        return told.get("data") if isinstance(told, dict) else told

    async def ask(
        self, name: str, /, body: Json = None, *, files: Json = None, **given: Json
    ) -> httpx.Response:
        """Call an operation and hold the answer, whatever it is, against the document."""
        operation = self.document.operations[name]
        sent: dict[str, Json] = {"files": files, "data": body} if files else {"json": body}
        answer = await self.http.request(
            operation.verb.upper(),
            self._path(operation, given),
            **self._query(operation, given),
            **sent,
        )
        self._hold(operation, answer)
        return answer

    async def first(self, name: str, /, **given: Json) -> Json:
        """Open a stream and give the first thing that it sends."""
        operation = self.document.operations[name]
        path, query = self._path(operation, given), self._query(operation, given)
        schema = self.document.answer(operation, 200)["application/json"]["schema"]
        async with self.http.stream("GET", path, **query) as stream:
            assert stream.status_code == 200
            first = await _first_item(stream)
        assert self.document.mistakes(schema, [first]) == []
        self.answered.add(name)
        return first

    def _hold(self, operation: Operation, answer: httpx.Response) -> None:
        media = self.document.answer(operation, answer.status_code)
        kind = answer.headers["content-type"]
        assert kind in media or "*/*" in media, (operation.name, kind)
        if "*/*" not in media:
            mistakes = self.document.mistakes(media[kind]["schema"], answer.json())
            assert mistakes == [], (operation.name, answer.text)

    def _path(self, operation: Operation, given: Mapping[str, Json]) -> str:
        names = operation.parameters("path")
        return operation.path.format(**{name: quote(given[name], safe="") for name in names})

    def _query(self, operation: Operation, given: Mapping[str, Json]) -> dict[str, Json]:
        known = operation.parameters("query")
        query = {name: value for name, value in given.items() if name in known}
        assert set(given) == set(query) | set(operation.parameters("path")), operation.name
        return {"params": query}


async def _first_item(stream: httpx.Response) -> Json:
    text = ""
    async for piece in stream.aiter_text():
        text += piece
        try:
            return json.JSONDecoder().raw_decode(text.lstrip("["))[0]
        except json.JSONDecodeError:
            continue
    raise AssertionError(f"the stream ended with {text!r}")
