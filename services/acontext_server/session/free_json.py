"""JSON of unknown shape, kept as it came: order of keys, big integers, depth."""

import json
import re
from collections.abc import Iterator
from typing import NoReturn, TypeAlias, cast

import orjson

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

MAX_DEPTH = 256
"""Well below the interpreter's recursion limit: what was read can be written from any stack."""

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class InvalidJson(Exception):
    """This text is not JSON, or not JSON that can be kept."""


def parse(raw: bytes) -> Json:
    """Read a document; the error's text says what is wrong with it and where."""
    text = _decoded(raw)
    _refuse_depth(text)
    try:
        value = cast("Json", _DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        raise InvalidJson(f"is not JSON: {error}") from error
    if _ESCAPED_SURROGATE.search(raw):
        _refuse_surrogates(value, "")
    return value


def parse_text(text: str) -> Json:
    """Read a document that is itself a string, such as a tool call's arguments."""
    try:
        return parse(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidJson("has a surrogate without its partner") from error


def load(raw: bytes) -> Json:
    """Read what was written here, which needs no second look; ValueError if it is damaged."""
    return cast("Json", _DECODER.decode(raw.decode()))


def dump(value: Json) -> str:
    """Write compactly, in the order given, and without escaping what UTF-8 can say."""
    return _ENCODER.encode(value)


def encode(value: Json) -> bytes:
    """Write an answer: as `dump`, in a tenth of the time."""
    try:
        return orjson.dumps(value)
    except TypeError:  # integers beyond 64 bits, or deeper than it goes
        return dump(value).encode()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InvalidJson(f"is not UTF-8 at byte {error.start}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


# Made once: json.loads and json.dumps make theirs anew in each call that has options.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_float)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _refuse_depth(text: str) -> None:
    # Counting is far cheaper than walking, and most documents have few brackets in all.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    if max(_depths(text), default=0) > MAX_DEPTH:
        raise InvalidJson(f"is nested deeper than {MAX_DEPTH} levels")


_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', re.DOTALL)


def _depths(text: str) -> Iterator[int]:
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match.group()
        depth += (token in "[{") - (token in "]}") if len(token) == 1 else 0
        yield depth


def _refuse_surrogates(value: Json, path: str) -> None:
    if isinstance(value, str):
        _refuse_surrogate(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_surrogates(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogate(key, path)
            _refuse_surrogates(item, f"{path}.{key}" if path else key)


def _refuse_surrogate(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where = f" in {path}" if path else ""
        raise InvalidJson(f"has a surrogate without its partner{where}") from error
