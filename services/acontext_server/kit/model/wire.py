"""What a chat completion looks like, read as generously as endpoints write it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from acontext_server.kit.model import Answer, ModelFailed, ToolCall, Usage
from acontext_server.kit.model.spoken import spoken_calls, without_thoughts

THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details")
"""Where endpoints put what a model thought; some want to see it again beside its calls."""
BYTES_PER_TOKEN = 3
"""For endpoints that tell no usage. Of English a token is four bytes, of JSON and other languages
three or less (https://help.openai.com/en/articles/4936856): rather too many than a budget that
nothing counts against."""
WRAPPER = "multi_tool_use.parallel"
"""A tool that nobody offers, and that models call all the same to make several calls in one."""


class BrokenAnswer(ModelFailed):
    """What came is no answer; asked again, the endpoint may give one."""


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Function(_Loose):
    name: str = ""
    arguments: str = "{}"

    @field_validator("name", mode="before")
    @classmethod
    def _bare(cls, given: object) -> object:
        """Take away what templates of open models leave at a name."""
        return str(given or "").partition("<|")[0].strip().removeprefix("functions.")

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_text(cls, given: object) -> object:
        return given if isinstance(given, str) else json.dumps(given or {})


class _Call(_Loose):
    id: str | None = None
    function: _Function

    @model_validator(mode="before")
    @classmethod
    def _with_function(cls, given: object) -> object:
        if isinstance(given, dict) and not given.get("function"):
            named = {key: given[key] for key in ("name", "arguments") if key in given}
            return {"id": given.get("id"), "function": named}
        return given


class _Message(_Loose):
    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(str(part.get("text") or "") for part in self.content)
        return self.content or self.refusal or ""

    @property
    def thoughts(self) -> dict[str, Any]:
        said = self.model_extra or {}
        return {name: said[name] for name in THOUGHTS if said.get(name)}


class _Choice(_Loose):
    message: _Message | None = None
    finish_reason: str | None = None


class _Details(_Loose):
    cached_tokens: int | None = 0


class _Usage(_Loose):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None

    @property
    def cached_tokens(self) -> int:
        details = self.prompt_tokens_details
        return (details.cached_tokens or 0) if details else 0


class _Completion(_Loose):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_answer(body: bytes, *, asked_bytes: int, known: set[str], retries: int) -> Answer:
    """Read an endpoint's answer to a request of so many bytes; BrokenAnswer if it is none."""
    guessed = Usage(
        input_tokens=asked_bytes // BYTES_PER_TOKEN,
        output_tokens=len(body) // BYTES_PER_TOKEN,
        retries=retries,
    )
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError as error:
        raise BrokenAnswer(_why(body, error), guessed) from error
    choice, cost = completion.choices[0], completion.usage
    usage = guessed
    if cost and cost.prompt_tokens:
        usage = Usage(
            input_tokens=cost.prompt_tokens,
            output_tokens=cost.completion_tokens or 0,
            cached_tokens=cost.cached_tokens,
            retries=retries,
        )
    message = choice.message or _Message()
    called = tuple(_calls(message))
    return Answer(
        text=without_thoughts(message.text),
        calls=called or spoken_calls(message.text, known),
        thoughts=message.thoughts,
        is_spoken=not called,
        is_cut=choice.finish_reason == "length",
        is_filtered=choice.finish_reason == "content_filter",
        usage=usage,
    )


def _why(body: bytes, error: ValidationError) -> str:
    """Say what is wrong; some endpoints answer 200 and tell of an error."""
    if told := _told_error(body):
        return f"the endpoint answered with an error: {told}"
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"the answer is no chat completion: {where} {first['msg']}"


def _told_error(body: bytes) -> str:
    try:
        read = json.loads(body)
    except ValueError:
        return ""
    told = read.get("error") if isinstance(read, dict) else None
    return str(told.get("message") or told) if isinstance(told, dict) else str(told or "")


def _calls(message: _Message) -> Iterator[ToolCall]:
    taken = {""}
    for call in message.tool_calls or []:
        for name, arguments in _made(call.function):
            # Where ids are missing or told twice, ours are as the strictest templates want them.
            given = call.id if call.id and call.id not in taken else f"c{uuid4().hex[:8]}"
            taken.add(given)
            extra = call.model_extra or {}
            yield ToolCall(id=given, name=name, arguments=arguments, extra=extra)


def _made(function: _Function) -> Iterator[tuple[str, str]]:
    if function.name != WRAPPER:
        yield function.name, function.arguments
        return
    try:
        wrapped = json.loads(function.arguments)["tool_uses"]
        made = [(str(one["recipient_name"]), one.get("parameters") or {}) for one in wrapped]
    except (ValueError, LookupError, TypeError, AttributeError):
        made = []
    yield from ((name.removeprefix("functions."), json.dumps(one)) for name, one in made)
    if not made:
        yield function.name, function.arguments
