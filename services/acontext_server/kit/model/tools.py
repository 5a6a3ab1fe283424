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

    async def call(self, arguments: str) -> str:
        """Check the arguments and call the function; Refused says what is wrong with them."""
        given = ArgsKwargs((), _read(arguments))
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
    """Leave out titles: they repeat names, and every token is paid for."""
    return {
        key: _plain_value(key, value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


def _plain_value(key: str, value: Any) -> Any:
    if key in ("properties", "$defs") and isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plain(inner) if isinstance(inner, dict) else inner for inner in value]
    return value
