"""Labelled conversations: OpenAI chat messages with the tasks that people found in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldTask:
    """A task as it was labelled."""

    service: str
    intent: str
    description: str
    status: str
    messages: frozenset[int]
    slots: tuple[tuple[str, ...], ...]
    """What the user asked for, each with its accepted spellings."""
    calls: tuple[str, ...]
    """The tools that were called for it, in order."""

    @property
    def label(self) -> tuple[str, str]:
        """What tasks of one kind have in common."""
        return self.service, self.intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One line of a data file."""

    id: str
    messages: tuple[dict[str, Any], ...]
    tasks: tuple[GoldTask, ...]
    reward: float | None = None
    """1.0 if the run brought about what was wanted, where that is known."""

    @property
    def query(self) -> str:
        """Its first user turn, which is what an agent would search with."""
        said = (one.get("content") for one in self.messages if one["role"] == "user")
        return next((text for text in said if isinstance(text, str) and text.strip()), "")

    @property
    def labels(self) -> frozenset[tuple[str, str]]:
        """The kinds of all its tasks."""
        return frozenset(task.label for task in self.tasks)

    def calls(self) -> Iterator[tuple[int, str, object]]:
        """Go through its tool calls: the message's index, the tool's name, the arguments."""
        for index, message in enumerate(self.messages):
            for call in message.get("tool_calls") or ():
                function = call["function"]
                yield index, function["name"], parsed(function["arguments"])


def parsed(text: str) -> object:
    """Read JSON, or leave the text as it is."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def read(path: Path) -> Iterator[Conversation]:
    """Read a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield _conversation(json.loads(line))


def _conversation(row: dict[str, Any]) -> Conversation:
    end = len(row["messages"]) - 1
    return Conversation(
        id=row["id"],
        messages=tuple(row["messages"]),
        tasks=tuple(_gold(task, end) for task in row.get("tasks", ())),
        reward=row.get("reward"),
    )


def _gold(row: dict[str, Any], end: int) -> GoldTask:
    closed = end if row["closed_at"] is None else row["closed_at"]
    return GoldTask(
        service=row["service"],
        intent=row["intent"],
        description=row["description"],
        status=row["status"],
        messages=frozenset(range(row["opened_at"], closed + 1)),
        slots=tuple(tuple(spellings) for spellings in row["slots"].values()),
        calls=tuple(call["name"] for call in row["tool_calls"]),
    )
