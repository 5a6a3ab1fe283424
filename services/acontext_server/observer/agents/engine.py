"""The port behind which conversations are read, and the rules behind it."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

from acontext_server.observer.agents.memory import State
from acontext_server.observer.agents.rules import VERSION, take
from acontext_server.observer.agents.transcript import Message
from acontext_server.observer.domain import Change, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a project asks of a model; empty means what the server was set to."""

    model: str = ""
    rounds: int = 0
    success_criteria: str = ""
    """When a task counts as success, in the project's words."""
    failure_criteria: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What an engine is asked to observe."""

    tasks: tuple[TaskState, ...]
    state: Mapping[str, Any]
    """What the engine kept after the batch before; empty at the first."""
    context: tuple[Message, ...]
    """The last messages before the batch, already observed."""
    messages: tuple[Message, ...]
    wishes: Wishes = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What an engine decided, and what it cost."""

    changes: tuple[Change, ...]
    state: Mapping[str, Any]
    rounds: int = 1
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    engine: str = ""
    """The model that a project chose; empty where it did not choose."""
    note: str = ""
    """What else whoever reads the run wants to know."""


class EngineFailed(Exception):
    """The engine could not do it this time; the text says why, and what it cost all the same."""

    def __init__(self, reason: str, observed: Observed | None = None) -> None:
        super().__init__(reason)
        self.observed = observed or Observed(changes=(), state={})


class Engine(Protocol):
    """Reads a batch and decides what changes; writes nothing."""

    @property
    def name(self) -> str:
        """How runs call it."""

    @property
    def version(self) -> str:
        """Which rules or instructions it follows."""

    @property
    def spends(self) -> bool:
        """Whether it takes tokens, and so waits when a budget of them is used up."""

    async def observe(self, batch: Batch) -> Observed:
        """Decide what a batch changes; EngineFailed when that has to be tried again."""


class RulesEngine:
    """Needs no model."""

    name = "rules"
    version = VERSION
    spends = False

    async def observe(self, batch: Batch) -> Observed:
        """Fold the batch; its context is in the state already."""
        state, changes = State.from_json(deepcopy(dict(batch.state))), list[Change]()
        if "opened" not in batch.state:
            # A model observed the session so far, and knows its tasks by their list only.
            state.opened = max((task.order for task in batch.tasks), default=state.opened)
        for message in batch.messages:
            changes.extend(take(state, message))
        return Observed(changes=tuple(changes), state=state.to_json())
