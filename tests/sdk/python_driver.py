"""Drives a Python SDK from a pipe, inside that SDK's own environment; with `--own` it is ours.

A line on stdin is a call, a line on stdout says what travelled over HTTP and what the SDK made of
it; nothing does with ours, which speaks gRPC. `methods` lists what the SDK offers, `enter` goes on
with another project's key, `take` ends a stream that would go on. It knows nothing of this
repository.
"""

# mypy: ignore-errors
# The `acontext` that mypy knows is ours, not the published one.

import asyncio
import base64
import inspect
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from datetime import datetime
from itertools import islice
from typing import get_args

import httpx
from openai.types.chat import ChatCompletionMessage
from pydantic import BaseModel

from acontext import AcontextAsyncClient, AcontextClient, FileUpload
from acontext.agent import disk as disk_tools
from acontext.errors import APIError
from acontext.messages import build_acontext_message

POOLS = {"DISK_TOOLS": disk_tools.DISK_TOOLS}
MARKS = {
    "$file": lambda name, content, mime: FileUpload(name, base64.b64decode(content), mime),
    "$tuple": lambda name, content: (name, base64.b64decode(content)),
    "$message": lambda role, parts, meta: build_acontext_message(role=role, parts=parts, meta=meta),
    "$time": datetime.fromisoformat,
    "$completion": lambda fields: ChatCompletionMessage(**fields),
}
OWN = "--own" in sys.argv
RESOURCES = ("acontext._sync", "acontext._async") if OWN else ("acontext.resources",)
seen = []

if OWN:
    from acontext.types import DifficultyRule, ProjectSettings, Sop, ToolSop

    def sop(fields):
        steps = [ToolSop(tool_name=tool, action=action) for tool, action in fields["tool_sops"]]
        return Sop(**fields | {"tool_sops": steps})

    def settings(fields):
        rules = [DifficultyRule(**rule) for rule in fields.pop("difficulty_rules", [])]
        return ProjectSettings(**fields, difficulty_rules=rules)

    MARKS |= {"$sop": sop, "$settings": settings}


def note(response):
    """Keep what the server said, before the SDK reads it."""
    request = response.request
    seen.append(
        {
            "method": request.method,
            "target": request.url.raw_path.decode(),
            "status": response.status_code,
            "content_type": response.headers.get("content-type", ""),
            "body": base64.b64encode(response.content).decode(),
        }
    )


def note_sync(response):
    response.read()
    note(response)


async def note_async(response):
    await response.aread()
    note(response)


@asynccontextmanager
async def open_client(asynchronous, key):
    url = os.environ["ACONTEXT_BASE_URL"]
    if OWN and asynchronous:
        async with AcontextAsyncClient(api_key=key) as client:
            yield client
    elif OWN:
        with AcontextClient(api_key=key) as client:
            yield client
    elif asynchronous:
        hooks = {"response": [note_async]}
        async with httpx.AsyncClient(base_url=url, event_hooks=hooks, timeout=32) as http:
            yield AcontextAsyncClient(client=http, api_key=key)
    else:
        hooks = {"response": [note_sync]}
        with httpx.Client(base_url=url, event_hooks=hooks, timeout=32) as http:
            yield AcontextClient(client=http, api_key=key)


def is_resource(thing):
    return type(thing).__module__.startswith(RESOURCES)


def methods(thing, prefix=""):
    """List public methods with the names of their parameters, below resources too."""
    found = {}
    for name in dir(thing):
        if name.startswith("_"):
            continue
        member = getattr(thing, name)
        if is_resource(member):
            found |= methods(member, f"{prefix}{name}.")
        elif callable(member):
            found[prefix + name] = list(parameters(member))
    return found


def parameters(method):
    """List the names of its parameters, with those that a typed dictionary names."""
    for one in inspect.signature(method).parameters.values():
        named = get_args(one.annotation) if one.kind is one.VAR_KEYWORD else ()
        yield from named[0].__annotations__ if named else [one.name]


def tools(asynchronous):
    """List the tools that agents get, each with its arguments."""
    if asynchronous and not hasattr(disk_tools.DISK_TOOLS, "async_execute_tool"):
        return {}
    pools = dict(POOLS)
    try:
        from acontext.agent.skill import SKILL_TOOLS

        pools["SKILL_TOOLS"] = SKILL_TOOLS
    except ImportError:
        pass
    return {
        f"{pool}.{name}": list(tool.arguments)
        for pool, held in pools.items()
        for name, tool in held.tools.items()
    }


def decoded(value):
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    for mark, make in MARKS.items():
        if value.keys() == {mark}:
            return make(*value[mark])
    return {key: decoded(item) for key, item in value.items()}


def plain(value):
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.model_dump() if hasattr(value, "model_dump") else value


async def whole(value, take):
    """Wait for a value, and read a stream to its end or to what is asked for."""
    if inspect.isawaitable(value):
        return await value
    if isinstance(value, AsyncIterator):
        items = []
        async with aclosing(value):
            async for item in value:
                items.append(item)
                if len(items) == take:
                    break
        return items
    if isinstance(value, Iterator) and not callable(value):
        with closing(value):
            return list(islice(value, take))
    return value


def called_tool(client, pool, name, asynchronous, disk_id, arguments):
    tools = POOLS[pool]
    if not asynchronous:
        return tools.execute_tool(tools.format_context(client, disk_id), name, arguments)

    async def execute():
        context = await tools.async_format_context(client, disk_id)
        return await tools.async_execute_tool(context, name, arguments)

    return execute()


def target(client, name):
    for step in name.split("."):
        client = getattr(client, step)
    return client


async def answer(client, asynchronous, order):
    seen.clear()
    try:
        arguments, options = decoded(order["arguments"]), decoded(order["options"])
        pool, _, name = order["call"].partition(".")
        if pool in POOLS:
            value = called_tool(client, pool, name, asynchronous, *arguments)
        else:
            value = target(client, order["call"])(*arguments, **options)
        value = await whole(value, order.get("take"))
        return {"exchanges": seen, "value": plain(value)}
    except APIError as error:
        told = {name: getattr(error, name) for name in ("status_code", "code", "message", "error")}
        return {"exchanges": seen, "raised": {"type": "APIError", **told}}
    except Exception as error:
        return {"exchanges": seen, "raised": {"type": type(error).__name__, "text": str(error)}}


async def serve(client, asynchronous):
    """Answer orders; a key ends it, and is given back to go on with."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["call"] == "enter":
            return order["arguments"][0]
        if order["call"] == "methods":
            reply = {"value": methods(client) | tools(asynchronous)}
        else:
            reply = await answer(client, asynchronous, order)
        print(json.dumps(reply), flush=True)
    return None


async def main():
    asynchronous = "--async" in sys.argv
    key = os.environ["ACONTEXT_API_KEY"]
    while key:
        async with open_client(asynchronous, key) as client:
            key = await serve(client, asynchronous)


if __name__ == "__main__":
    asyncio.run(main())
