"""Calls that a model wrote into its text, because nobody taught it the other way.

Understood are JSON objects and lists of them, alone, in fences or in `<tool_call>` tags, with
`name` and `arguments` (or `parameters`, or a `function` around them), also under `calls` or
`tool_calls`. Prose is prose: JSON in the middle of a sentence calls nothing.
"""

import json
import re
from collections.abc import Collection, Iterator

from acontext_server.kit.model import ToolCall

THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
MARKED = re.compile(
    r"```[\w-]*\s*\n?(?P<fenced>.*?)```|<tool_call>(?P<tagged>.*?)</tool_call>", re.DOTALL
)


def spoken_calls(text: str, known: Collection[str]) -> tuple[ToolCall, ...]:
    """Read the calls of known tools out of a text."""
    found = [
        one for value in _values(THOUGHTS.sub("", text)) for one in _calls(value) if one[0] in known
    ]
    return tuple(
        ToolCall(id=f"spoken_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(found, start=1)
    )


def _values(text: str) -> Iterator[object]:
    marked = [match["fenced"] or match["tagged"] or "" for match in MARKED.finditer(text)]
    for piece in marked or [text]:
        yield from _decoded(piece.strip())


def _decoded(text: str) -> Iterator[object]:
    """Read JSON values one behind the other, and nothing if there is anything else."""
    decoder, values = json.JSONDecoder(), list[object]()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            return
        values.append(value)
        text = text[end:].lstrip(" \t\r\n,;")
    yield from values


def _calls(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for inner in value:
            yield from _calls(inner)
    if not isinstance(value, dict):
        return
    function = value.get("function")
    call = function if isinstance(function, dict) else value
    name = call.get("name", call.get("tool", function))
    if isinstance(name, str):
        yield name, _arguments(call)
        return
    for key in ("calls", "tool_calls"):
        yield from _calls(value.get(key))


def _arguments(call: dict[str, object]) -> str:
    given = call.get("arguments", call.get("parameters", {}))
    return given if isinstance(given, str) else json.dumps(given)
