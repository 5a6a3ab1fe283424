"""Chat models behind the OpenAI API, OpenAI's own and all that speak it.

What a model or endpoint does not take is learned from its refusal, and not sent again.
"""

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit
from weakref import WeakKeyDictionary

from openai import APIConnectionError, APIStatusError, AsyncOpenAI, OpenAIError

from acontext_server.kit.config import Price, Settings
from acontext_server.kit.model import (
    Answer,
    CallResult,
    Model,
    ModelFailed,
    Prompt,
    PromptTooLong,
    ToolCall,
    ToolSpec,
    Turn,
    Usage,
)
from acontext_server.kit.model.wire import BrokenAnswer, read_answer

OPENAI = "https://api.openai.com/v1"
LONGEST_REASON = 300
LENGTHS = ("max_tokens", "max_completion_tokens")
TEMPERATURE = 0.2
"""Bookkeeping wants no fancy; above 0, so that another try is not the same again."""

TOO_LONG = re.compile(
    r"context.?length|maximum context|context (?:size|window)|too many tokens|token count"
    r"|(?:prompt|input|request) (?:is )?too (?:long|large)|too large for model"
)
NO_TOOLS = re.compile(r"support|requires|unknown|unrecognized|unavailable|permitted|disabled")
"""What is said of tools by who cannot call them; broken calls are complained of otherwise."""
NO_SYSTEM = re.compile(r"system (?:role|message|prompt)s? (?:is |are )?not|'system'")
LONGEST_WAIT_SECONDS = 8.0

Mode = Literal["tools", "schema", "text"]
"""How calls come: as such, as JSON that a schema forces, or as JSON that is only asked for."""

_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
"""Services that share a process share its limit; so it belongs to the loop that they run in."""


def base_url(url: str) -> str:
    """Say where an `openai:` setting points."""
    parts = urlsplit(url)
    if not parts.netloc:
        return OPENAI
    secure = parse_qs(parts.query).get("secure", ["true"])[0] != "false"
    return f"{'https' if secure else 'http'}://{parts.netloc}{parts.path or '/v1'}"


@asynccontextmanager
async def open_client(url: str, key: str, settings: Settings) -> AsyncIterator[AsyncOpenAI]:
    """Open the SDK, which retries what may pass: with jitter, or when Retry-After says so."""
    client = AsyncOpenAI(
        # Local endpoints want no key, the SDK wants one.
        api_key=key or "none",
        base_url=base_url(url),
        timeout=settings.model_timeout_seconds,
        max_retries=settings.model_retries,
        default_headers=settings.model_headers,
    )
    async with client:
        yield client


@asynccontextmanager
async def slot(settings: Settings) -> AsyncIterator[None]:
    """Wait until the process asks fewer things at a time than it may."""
    loop = asyncio.get_running_loop()
    limit = _slots.setdefault(loop, asyncio.Semaphore(settings.model_concurrency))
    async with limit:
        yield


@contextmanager
def model_errors(key: str) -> Iterator[None]:
    """Say what the SDK's errors mean, without the key that some endpoints repeat."""
    try:
        yield
    except APIStatusError as error:
        kind = PromptTooLong if TOO_LONG.search(error.message.lower()) else ModelFailed
        raise kind(f"{error.status_code}: {_said(error.message, key)}") from error
    except APIConnectionError as error:
        cause = f" ({type(error.__cause__).__name__})" if error.__cause__ else ""
        raise ModelFailed(f"the endpoint does not answer: {error.message}{cause}") from error
    except OpenAIError as error:
        raise ModelFailed(_said(str(error), key)) from error


def _said(message: str, key: str) -> str:
    return (message.replace(key, "…") if key else message)[:LONGEST_REASON]


def priced(usage: Usage, price: Price | None) -> Usage:
    """Say what it cost, where the price is known."""
    if price is None:
        return usage
    cheaper = price.input if price.cached_input is None else price.cached_input
    fresh = usage.input_tokens - usage.cached_tokens
    millions = fresh * price.input + usage.cached_tokens * cheaper
    return replace(usage, cost=(millions + usage.output_tokens * price.output) / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a model takes."""

    mode: Mode
    length: str
    """Name of the field that limits the answer; empty where no name is taken."""
    refused_lengths: frozenset[str] = frozenset()
    options: Mapping[str, Any] = field(
        default_factory=lambda: {
            "tool_choice": "required",
            "parallel_tool_calls": True,
            "temperature": TEMPERATURE,
        }
    )
    role: Literal["system", "user"] = "system"
    """Who tells the instructions; templates of some models know no system."""
    with_thoughts: bool = True
    """Whether the model is shown again what it thought before its calls."""


class OpenAIModels:
    """The models of one endpoint, each with what was found out about it."""

    def __init__(self, client: AsyncOpenAI, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._models: dict[str, OpenAIModel] = {}

    def of(self, role: str, name: str = "") -> Model:
        """Choose the model of a role, or the one that is named."""
        settings = self._settings
        chosen = name or settings.model_names.get(role) or settings.model_name
        if chosen not in self._models:
            self._models[chosen] = OpenAIModel(self._client, chosen, settings)
        return self._models[chosen]


class OpenAIModel:
    """One model."""

    def __init__(self, client: AsyncOpenAI, name: str, settings: Settings) -> None:
        self.name = name
        self._client = client
        self._settings = settings
        self._price = settings.model_prices.get(name)
        mode: Mode = "schema" if settings.model_tools == "schema" else "tools"
        is_openai = str(client.base_url).startswith(OPENAI)
        length = "max_completion_tokens" if is_openai else "max_tokens"
        self._dialect = Dialect(mode=mode, length=length)

    async def answer(
        self, instructions: str, turns: Sequence[Turn], tools: Sequence[ToolSpec]
    ) -> Answer:
        """Ask for the next turn; ModelFailed once retrying is of no use."""
        async with slot(self._settings):
            with model_errors(self._client.api_key):
                return await self._answer(instructions, turns, tools)

    async def _answer(
        self, instructions: str, turns: Sequence[Turn], tools: Sequence[ToolSpec]
    ) -> Answer:
        """Ask, and ask again where the answer is broken, which the SDK does not look at."""
        known = {tool.name for tool in tools}
        for broken in range(self._settings.model_retries + 1):
            raw = await self._ask(instructions, turns, tools)
            retries = raw.retries_taken + broken
            try:
                asked = len(raw.http_request.content)
                answer = read_answer(raw.content, asked_bytes=asked, known=known, retries=retries)
            except BrokenAnswer as error:
                failed = ModelFailed(_said(str(error), self._client.api_key), error.usage)
                await asyncio.sleep(_wait(broken, self._settings.model_retries))
            else:
                return replace(answer, usage=priced(answer.usage, self._price))
        raise failed

    async def _ask(
        self, instructions: str, turns: Sequence[Turn], tools: Sequence[ToolSpec]
    ) -> Any:
        """Give the endpoint's response, once it has refused nothing any more."""
        while True:
            dialect = self._dialect
            request = {"model": self.name, **self._asked(dialect, instructions, turns, tools)}
            try:
                return await self._client.chat.completions.with_raw_response.create(
                    **request, extra_body=self._settings.model_extra_body
                )
            except APIStatusError as error:
                following = self._without_refused(dialect, error)
                if following is None:
                    raise
                self._dialect = following

    def _asked(
        self,
        dialect: Dialect,
        instructions: str,
        turns: Sequence[Turn],
        tools: Sequence[ToolSpec],
    ) -> dict[str, Any]:
        length = {dialect.length: self._settings.model_max_tokens} if dialect.length else {}
        if dialect.mode == "tools":
            functions = [{"type": "function", "function": _function(tool)} for tool in tools]
            spoken = _messages(instructions, turns, dialect)
            return {"messages": spoken, "tools": functions, **length, **dialect.options}
        told = f"{instructions}\n\n{_described(tools)}"
        form = {"response_format": _schema(tools)} if dialect.mode == "schema" else {}
        return {"messages": _messages(told, turns, dialect), **length, **form}

    def _without_refused(self, dialect: Dialect, error: APIStatusError) -> Dialect | None:
        """Leave out what an endpoint complains of; None if it is nothing that can be."""
        said = f"{error.message} {error.body or ''}".lower()
        if error.status_code in (401, 403, 408, 409, 429):
            return None
        if dialect.length and any(name in said for name in LENGTHS):
            refused = dialect.refused_lengths | {dialect.length}
            other = next((one for one in LENGTHS if one in said and one not in refused), "")
            return replace(dialect, length=other, refused_lengths=refused)
        if TOO_LONG.search(said):
            # Some count the longest answer in, without a word of which field asks for it.
            return replace(dialect, length="") if dialect.length else None
        kept = {key: value for key, value in dialect.options.items() if key not in said}
        if dialect.mode == "tools" and len(kept) < len(dialect.options):
            return replace(dialect, options=kept)
        if dialect.with_thoughts and "reasoning" in said:
            return replace(dialect, with_thoughts=False)
        if dialect.role == "system" and NO_SYSTEM.search(said):
            return replace(dialect, role="user")
        can_choose = dialect.mode == "tools" and self._settings.model_tools == "auto"
        if can_choose and "tool" in said and NO_TOOLS.search(said):
            return replace(dialect, mode="schema")
        if dialect.mode == "schema" and ("response_format" in said or "schema" in said):
            return replace(dialect, mode="text")
        return None


def _wait(broken: int, retries: int) -> float:
    """Say how long to wait before asking again; not at all after the last time."""
    longest = min(0.5 * 2**broken, LONGEST_WAIT_SECONDS) if broken < retries else 0
    return longest * random.uniform(0.5, 1)


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _messages(instructions: str, turns: Sequence[Turn], dialect: Dialect) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": dialect.role, "content": instructions}]
    spoken: set[int] = set()
    for turn in turns:
        match turn:
            case Prompt():
                _tell(messages, turn.text)
            case Answer():
                if turn.is_spoken or dialect.mode != "tools":
                    spoken |= {id(call) for call in turn.calls}
                messages.append(_said_before(turn, dialect))
            case CallResult() if id(turn.call) in spoken:
                _tell(messages, f"Result of {turn.call.name}: {turn.text}")
            case CallResult():
                result = {"role": "tool", "tool_call_id": turn.call.id, "content": turn.text}
                messages.append(result)
    return messages


def _tell(messages: list[dict[str, Any]], text: str) -> None:
    """Tell a model something; templates of some want it to speak before it is told more."""
    if messages[-1]["role"] == "user":
        messages[-1]["content"] += f"\n\n{text}"
    else:
        messages.append({"role": "user", "content": text})


def _said_before(answer: Answer, dialect: Dialect) -> dict[str, Any]:
    if answer.is_spoken or not answer.calls:
        return {"role": "assistant", "content": answer.text or "(nothing)"}
    if dialect.mode != "tools":
        made = [{"name": call.name, "arguments": _object(call)} for call in answer.calls]
        return {"role": "assistant", "content": json.dumps({"calls": made})}
    calls = [
        {
            **call.extra,
            "id": call.id,
            "type": "function",
            # Templates of some endpoints read the arguments, and break on a broken one.
            "function": {"name": call.name, "arguments": json.dumps(_object(call))},
        }
        for call in answer.calls
    ]
    thoughts = answer.thoughts if dialect.with_thoughts else {}
    return {**thoughts, "role": "assistant", "content": answer.text or None, "tool_calls": calls}


def _object(call: ToolCall) -> dict[str, Any]:
    try:
        read = json.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _described(tools: Sequence[ToolSpec]) -> str:
    listed = "\n".join(json.dumps(_function(tool), ensure_ascii=False) for tool in tools)
    return (
        'Answer with nothing but JSON: {"calls": [{"name": "…", "arguments": {…}}]}.\n'
        f"These functions can be called:\n{listed}"
    )


def _schema(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Force the form of calls."""
    calls = [
        {
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": dict(tool.parameters)},
            "required": ["name", "arguments"],
        }
        for tool in tools
    ]
    schema = {
        "type": "object",
        "properties": {"calls": {"type": "array", "items": {"anyOf": calls}}},
        "required": ["calls"],
    }
    return {"type": "json_schema", "json_schema": {"name": "calls", "schema": schema}}
