"""Calls that a model wrote into its text, because nobody taught it the other way.

Understood are JSON objects and lists of them, alone, at the end, in fences or in `<tool_call>`
tags, with `name` and `arguments` (or `parameters`, or a `function` around them), also under `calls`
or `tool_calls`. Prose is prose: JSON in the middle of a sentence calls nothing.
"""

import json
import re
from collections.abc import Collection, Iterator

from acontext_server.kit.model import ToolCall

THOUGHTS = re.compile(
    # Templates that open the thoughts themselves leave only their end in the text.
    r"\A.*?</think(?:ing)?>|<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|\[THINK\].*?\[/THINK\]",
    re.DOTALL,
)
MARKED = re.compile(
    r"```[\w-]*\s*\n?(?P<fenced>.*?)```|<tool_call>(?P<tagged>.*?)(?:</tool_call>|\Z)", re.DOTALL
)
HEADS = re.compile(r"\[TOOL_CALLS\]|<\|python_tag\|>|<\|tool_call\|>")
LINE = re.compile(r"^[\[{]", re.MULTILINE)
"""Where JSON that runs to the end of a text may begin."""


def without_thoughts(text: str) -> str:
    """Leave out what a model thought aloud before it answered."""
    return THOUGHTS.sub("", text).strip()


def spoken_calls(text: str, known: Collection[str]) -> tuple[ToolCall, ...]:
    """Read the calls of known tools out of a text."""
    said = HEADS.sub("\n", without_thoughts(text))
    found = [one for value in _values(said) for one in _calls(value) if one[0] in known]
    return tuple(
        ToolCall(id=f"spoken_{number}", name=name, arguments=arguments)
        for number, (name, arguments) in enumerate(found, start=1)
    )


def _values(text: str) -> Iterator[object]:
    marked = [match["fenced"] or match["tagged"] or "" for match in MARKED.finditer(text)]
    if marked:
        for piece in marked:
            yield from _decoded(piece.strip())
        return
    ends = (_decoded(text[line.start() :]) for line in LINE.finditer(text))
    yield from next((values for values in ends if values), [])


def _decoded(text: str) -> list[object]:
    """Read JSON values one behind the other, and nothing if there is anything else."""
    decoder, values = json.JSONDecoder(), list[object]()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except ValueError:
            return []
        values.append(value)
        text = text[end:].lstrip(" \t\r\n,;")
    return values


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
