"""A tool, and a pool of tools of which a model chooses."""

from typing import Any

from .._definitions import Definition


class BaseContext:
    """What a pool's tools work on."""


class BaseTool:
    """One tool. A tool of your own has these properties and does its work in `execute`."""

    @property
    def name(self) -> str:
        """What a model calls it."""
        raise NotImplementedError

    @property
    def description(self) -> str:
        """What a model is told of it."""
        raise NotImplementedError

    @property
    def arguments(self) -> dict[str, Any]:
        """JSON Schema of each argument, by name."""
        raise NotImplementedError

    @property
    def required_arguments(self) -> list[str]:
        """Arguments that must be given."""
        raise NotImplementedError

    def execute(self, ctx: Any, llm_arguments: dict[str, Any]) -> str:
        """Do it, and return what the model is told."""
        raise NotImplementedError

    async def async_execute(self, ctx: Any, llm_arguments: dict[str, Any]) -> str:
        """Do it with an asynchronous client."""
        raise NotImplementedError

    def to_openai_tool_schema(self) -> dict[str, Any]:
        """Define it for OpenAI."""
        return {"type": "function", "function": self.to_gemini_tool_schema()}

    def to_anthropic_tool_schema(self) -> dict[str, Any]:
        """Define it for Anthropic."""
        named = {"name": self.name, "description": self.description}
        return {**named, "input_schema": self._schema()}

    def to_gemini_tool_schema(self) -> dict[str, Any]:
        """Declare it for Gemini."""
        named = {"name": self.name, "description": self.description}
        return {**named, "parameters": self._schema()}

    def _schema(self) -> dict[str, Any]:
        required = list(self.required_arguments)
        return {"type": "object", "properties": self.arguments, "required": required}


class ReadyTool(BaseTool):
    """A tool that a toolkit of the client's does."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition

    @property
    def name(self) -> str:
        return self._definition.name

    @property
    def description(self) -> str:
        return self._definition.description

    @property
    def arguments(self) -> dict[str, Any]:
        properties: dict[str, Any] = self._definition.schema()["properties"]
        return properties

    @property
    def required_arguments(self) -> list[str]:
        return list(self._definition.required)

    def execute(self, ctx: Any, llm_arguments: dict[str, Any]) -> str:
        told: str = ctx.toolkit.call(self.name, llm_arguments)
        return told

    async def async_execute(self, ctx: Any, llm_arguments: dict[str, Any]) -> str:
        told: str = await ctx.toolkit.call(self.name, llm_arguments)
        return told


class BaseToolPool:
    """Tools by name."""

    def __init__(self) -> None:
        self.tools: dict[str, BaseTool] = {}

    def add_tool(self, tool: BaseTool) -> None:
        """Add a tool, in place of one of the same name."""
        self.tools[tool.name] = tool

    def remove_tool(self, tool_name: str) -> None:
        """Take a tool away."""
        self.tools.pop(tool_name, None)

    def extent_tool_pool(self, pool: "BaseToolPool") -> None:
        """Add the tools of another pool."""
        self.tools.update(pool.tools)

    def tool_exists(self, tool_name: str) -> bool:
        """Say whether there is such a tool."""
        return tool_name in self.tools

    def execute_tool(self, ctx: BaseContext, tool_name: str, llm_arguments: dict[str, Any]) -> str:
        """Do what a model asked for, and return what it is told."""
        return self.tools[tool_name].execute(ctx, llm_arguments)

    async def async_execute_tool(
        self, ctx: BaseContext, tool_name: str, llm_arguments: dict[str, Any]
    ) -> str:
        """Do what a model asked for with an asynchronous client."""
        return await self.tools[tool_name].async_execute(ctx, llm_arguments)

    def to_openai_tool_schema(self) -> list[dict[str, Any]]:
        """Define all for OpenAI."""
        return [tool.to_openai_tool_schema() for tool in self.tools.values()]

    def to_anthropic_tool_schema(self) -> list[dict[str, Any]]:
        """Define all for Anthropic."""
        return [tool.to_anthropic_tool_schema() for tool in self.tools.values()]

    def to_gemini_tool_schema(self) -> list[dict[str, Any]]:
        """Declare all for Gemini."""
        return [tool.to_gemini_tool_schema() for tool in self.tools.values()]
