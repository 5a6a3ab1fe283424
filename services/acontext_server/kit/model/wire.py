"""What a chat completion looks like, read as generously as endpoints write it."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from acontext_server.kit.model import Answer, ModelFailed, ToolCall, Usage
from acontext_server.kit.model.spoken import spoken_calls


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Function(_Loose):
    name: str
    arguments: str = "{}"

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_text(cls, given: object) -> object:
        return given if isinstance(given, str) else json.dumps(given or {})


class _Call(_Loose):
    id: str | None = None
    function: _Function


class _Message(_Loose):
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[_Call] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(str(part.get("text", "")) for part in self.content)
        return self.content or ""


class _Choice(_Loose):
    message: _Message
    finish_reason: str | None = None


class _Details(_Loose):
    cached_tokens: int | None = 0


class _Usage(_Loose):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None

    @property
    def cached_tokens(self) -> int:
        details = self.prompt_tokens_details
        return (details.cached_tokens or 0) if details else 0


class _Completion(_Loose):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


def read_answer(body: bytes, *, known: set[str], retries: int) -> Answer:
    """Read an endpoint's answer; ModelFailed if it is none."""
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ModelFailed(
            f"the answer is no chat completion: {where} {first['msg']}", Usage(retries=retries)
        ) from error
    choice, cost = completion.choices[0], completion.usage or _Usage()
    usage = Usage(
        input_tokens=cost.prompt_tokens,
        output_tokens=cost.completion_tokens,
        cached_tokens=cost.cached_tokens,
        retries=retries,
    )
    called = _calls(choice.message)
    text = choice.message.text
    return Answer(
        text=text,
        calls=called or spoken_calls(text, known),
        is_spoken=not called,
        is_cut=choice.finish_reason == "length",
        usage=usage,
    )


def _calls(message: _Message) -> tuple[ToolCall, ...]:
    return tuple(
        ToolCall(
            id=call.id or f"call_{number}",
            name=call.function.name,
            arguments=call.function.arguments,
            extra=call.model_extra or {},
        )
        for number, call in enumerate(message.tool_calls or [], start=1)
    )
