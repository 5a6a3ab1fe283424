"""Tools of the OpenAI Agents SDK, which calls them with await. Written by hand, as its twin is."""

from collections.abc import Awaitable, Callable
from typing import Any

from .._definitions import Definition


def function_tool(definition: Definition, call: Callable[[str, str], Awaitable[str]]) -> Any:
    """Make a tool of a definition and what it does."""
    from agents import FunctionTool

    async def invoke(context: Any, arguments: str) -> str:
        return await call(definition.name, arguments or "{}")

    return FunctionTool(
        name=definition.name,
        description=definition.description,
        params_json_schema=definition.schema(),
        on_invoke_tool=invoke,
        strict_json_schema=False,
    )
