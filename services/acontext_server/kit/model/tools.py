"""Typed functions as tools: their schemas are generated, and what a model passes is checked."""

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs

from acontext_server.kit.model import ToolSpec

Function = Callable[..., str | Awaitable[str]]
"""What it returns is told to the model; its docstring says what it is for."""

LONGEST_VALUE = 80


class Refused(Exception):
    """A call breaks a rule; the text tells the model which one."""


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(_in_one_line),
]
"""A sentence or two, in one line."""


class Tool:
    """One function that a model may call."""

    def __init__(self, function: Function) -> None:
        # Pydantic takes functions where it takes types; its own types do not say so.
        typed: Any = function
        self._arguments: TypeAdapter[Any] = TypeAdapter(typed)
        self.spec = ToolSpec(
            name=getattr(function, "__name__", ""),
            description=inspect.getdoc(function) or "",
            parameters=_plain(self._arguments.json_schema()),
        )
        self._required = frozenset(self.spec.parameters.get("required", ()))
        properties = self.spec.parameters.get("properties", {}).items()
        self._lists = frozenset(name for name, one in properties if one.get("type") == "array")

    async def call(self, arguments: str) -> str:
        """Check the arguments and call the function; Refused says what is wrong with them."""
        # Endpoints that force a schema make models write null where they mean nothing.
        read = _read(arguments).items()
        given = ArgsKwargs(
            (),
            {
                name: _as_list(one) if name in self._lists else one
                for name, one in read
                if one is not None or name in self._required
            },
        )
        try:
            result = self._arguments.validate_python(given)
        except ValidationError as error:
            raise Refused(_complaint(error)) from error
        told: str = await result if inspect.isawaitable(result) else result
        return told


def toolbox(functions: Sequence[Function]) -> dict[str, Tool]:
    """Make tools of functions, by name."""
    tools = (Tool(function) for function in functions)
    return {tool.spec.name: tool for tool in tools}


def _read(arguments: str) -> dict[str, Any]:
    try:
        read = json.loads(arguments or "{}")
    except ValueError as error:
        raise Refused(f"the arguments are no JSON: {error}; were they cut off?") from error
    if not isinstance(read, dict):
        raise Refused("the arguments must be a JSON object")
    cleaned: dict[str, Any] = _storable(read)
    return cleaned


def _as_list(value: Any) -> Any:
    """Read a list that a model wrote as text; what is none stays as it is, to be refused."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return read if isinstance(read, list) else value


def _storable(value: Any) -> Any:
    """Take out what no database keeps: NULs, and halves of characters."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="ignore").decode()
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    return value


def _complaint(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
        f" (given: {str(one['input'])[:LONGEST_VALUE]})"
        for one in error.errors(include_url=False)
    )


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Say it without titles, references and unions with null, which some endpoints cannot read."""
    plain: dict[str, Any] = _plainly(schema, schema.get("$defs", {}))
    return plain


def _plainly(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_plainly(inner, definitions) for inner in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _plainly(definitions[part["$ref"].rpartition("/")[2]], definitions)
    if {"type": "null"} in part.get("anyOf", ()):
        (other,) = (one for one in part["anyOf"] if one != {"type": "null"})
        part = {**other, **{key: value for key, value in part.items() if key != "anyOf"}}
        part.pop("default", None)
    return {
        key: {name: _plainly(one, definitions) for name, one in value.items()}
        if key == "properties"
        else _plainly(value, definitions)
        for key, value in part.items()
        if key != "$defs" and not (key == "title" and isinstance(value, str))
    }
