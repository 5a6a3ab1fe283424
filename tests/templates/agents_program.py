"""What `agents()` gives are the SDK's own tools, and both clients' do what they say."""

import asyncio
import json

from agents import FunctionTool
from agents.tool_context import ToolContext

from acontext import AcontextAsyncClient, AcontextClient


async def use(tools: list[FunctionTool], name: str, **given: str) -> str:
    """Call a tool as the SDK's runner does."""
    (tool,) = [one for one in tools if one.name == name]
    assert isinstance(tool, FunctionTool)
    assert set(given) <= set(tool.params_json_schema["properties"])
    arguments = json.dumps(given)
    context = ToolContext(
        context=None, tool_name=name, tool_call_id="call_1", tool_arguments=arguments
    )
    return str(await tool.on_invoke_tool(context, arguments))


async def write_and_read(tools: list[FunctionTool]) -> None:
    """Write a file by one tool, find it by others."""
    place = {"file_path": "/notes/", "filename": "plan.md"}
    await use(tools, "write_file", content="by train", **place)
    assert (await use(tools, "read_file", **place)).endswith("\nby train")
    assert "plan.md" in await use(tools, "list_artifacts", file_path="/notes/")
    assert "plan.md" in await use(tools, "glob_artifacts", query="*.md")
    assert "plan.md" in await use(tools, "grep_artifacts", query="tra.n")
    await use(tools, "replace_string", old_string="train", new_string="boat", **place)
    assert "http" in await use(tools, "download_file", **place)
    told = await use(tools, "read_file", filename="none.md")
    assert told.startswith("That did not work"), told


async def main() -> None:
    """Do so with both clients."""
    with AcontextClient() as client:
        await write_and_read(client.tools.disk(client.disks.create().id).agents())
    async with AcontextAsyncClient() as client:
        await write_and_read(client.tools.disk((await client.disks.create()).id).agents())
    print("both clients' tools work")


asyncio.run(main())
