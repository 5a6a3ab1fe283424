"""Labelled conversations: OpenAI chat messages with the tasks that people found in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldTask:
    """A task as it was labelled."""

    description: str
    status: str
    messages: frozenset[int]
    slots: tuple[tuple[str, ...], ...]
    """What the user asked for, each with its accepted spellings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One line of a data file."""

    id: str
    messages: tuple[dict[str, Any], ...]
    tasks: tuple[GoldTask, ...]
    reward: float | None = None
    """1.0 if the run brought about what was wanted, where that is known."""


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
        description=row["description"],
        status=row["status"],
        messages=frozenset(range(row["opened_at"], closed + 1)),
        slots=tuple(tuple(spellings) for spellings in row["slots"].values()),
    )
