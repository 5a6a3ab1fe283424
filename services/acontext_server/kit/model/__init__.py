"""Asking a chat model: the port, and the way from a URL to its adapter.

`rules:` means that there is no model. `openai:` is OpenAI itself, `openai://host:port/v1` anything
that speaks its API, with `?secure=false` where that is plain HTTP.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from acontext_server.kit.config import Settings

NO_MODEL = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What asking cost, by the endpoint or, where it tells nothing, by the bytes on the wire."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Those of the input that the endpoint had seen before."""
    cost: float | None = None
    """In the currency of the configured prices, where the model has one."""
    retries: int = 0
    """How often the endpoint had to be asked again before it answered."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=_sum(self.cost, other.cost),
            retries=self.retries + other.retries,
        )


def _sum(one: float | None, other: float | None) -> float | None:
    return one if other is None else other + (one or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """A tool that a model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of its arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that a model made."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it; it may be broken."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What else the endpoint said of the call, which some want to see again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model is told."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model answered."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    thoughts: Mapping[str, Any] = field(default_factory=dict)
    """What it thought before, by the endpoint's names, which some want to see again."""
    is_spoken: bool = False
    """The calls stood in the text; so their results are told in text, too."""
    is_cut: bool = False
    """The limit of tokens ended it."""
    is_filtered: bool = False
    """A filter of the endpoint's ended it."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What became of a call."""

    call: ToolCall
    text: str


Turn = Prompt | Answer | CallResult


class ModelFailed(Exception):
    """The model gave no answer that can be used; the text says why."""

    def __init__(self, reason: str, usage: Usage | None = None) -> None:
        super().__init__(reason)
        self.usage = usage or Usage()


class PromptTooLong(ModelFailed):
    """The model cannot read as much as it was told."""


class Model(Protocol):
    """Continues a conversation, with tools."""

    @property
    def name(self) -> str:
        """How the endpoint calls it."""

    async def answer(
        self, instructions: str, turns: Sequence[Turn], tools: Sequence[ToolSpec]
    ) -> Answer:
        """Ask for the next turn; ModelFailed once retrying is of no use."""


class Models(Protocol):
    """The models of one endpoint."""

    def of(self, role: str, name: str = "") -> Model:
        """Choose the model of a role, or the one that is named."""


class UnknownModel(ValueError):
    """The setting's scheme names no adapter."""


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[Models | None]:
    """Open what `ACONTEXT_MODEL_URL` names; None where no model is wanted."""
    scheme = settings.model_url.partition(":")[0]
    if scheme == NO_MODEL:
        yield None
        return
    if scheme != "openai":
        raise UnknownModel(f"ACONTEXT_MODEL_URL: no model for {scheme!r}, use rules: or openai:")
    from acontext_server.kit.model.openai import OpenAIModels, open_client

    async with open_client(settings.model_url, settings.model_key, settings) as client:
        yield OpenAIModels(client, settings)
