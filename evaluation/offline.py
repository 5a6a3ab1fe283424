"""Observe conversations with the rules engine alone, without services: the fast loop."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from acontext_server.observer.agents.memory import State
from acontext_server.observer.agents.rules import fold
from acontext_server.observer.agents.transcript import Message, Part, Text, ToolCall, ToolResult
from acontext_server.observer.domain import PLANNING, MessageId, TaskList
from evaluation import observing
from evaluation.conversations import Conversation, read
from evaluation.figures import FoundTask, Share
from evaluation.table import Row, Target, share


def rows(files: Mapping[str, Path]) -> Iterator[Row]:
    """Say what the rules observe in each file of conversations."""
    for name in files.keys() & {"SGD", "TAU"}:
        conversations = list(read(files[name]))
        found = [observe(conversation) for conversation in conversations]
        yield Row(name=files[name].name, cases=f"{len(conversations)} conversations")
        yield from observing.rows(conversations, found)
        same = sum(
            observe(conversation, in_batches=True) == tasks
            for conversation, tasks in zip(conversations, found, strict=True)
        )
        invariance = Share(hits=same, cases=len(found))
        yield share("invariance", invariance, "conversations", Target(value=1))


def observe(conversation: Conversation, *, in_batches: bool = False) -> list[FoundTask]:
    """Fold all messages, and say which tasks came of them.

    In batches of one the state is written down and read again between any two messages.
    """
    state, tasks = State(), TaskList()
    for index, message in enumerate(conversation.messages):
        if in_batches:
            state = State.from_json(json.loads(json.dumps(state.to_json())))
        state, changes = fold(state, to_message(index, message))
        for change in changes:
            tasks.apply(change)
    return _found(tasks)


def to_message(index: int, message: dict[str, Any]) -> Message:
    """Read an OpenAI chat message as an engine does."""
    role = "user" if message["role"] == "tool" else message["role"]
    return Message(
        sequence=index + 1, id=MessageId(UUID(int=index)), role=role, parts=_parts(message)
    )


def _parts(message: dict[str, Any]) -> tuple[Part, ...]:
    text = message.get("content") or ""
    if message["role"] == "tool":
        name = message.get("name", "")
        return (ToolResult(call_id=message["tool_call_id"], name=name, text=text),)
    said = (Text(text=text),) if text else ()
    return (*said, *(_call(call) for call in message.get("tool_calls") or ()))


def _call(call: dict[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(id=call["id"], name=function["name"], arguments=function["arguments"])


def _found(tasks: TaskList) -> list[FoundTask]:
    messages: dict[int, set[int]] = defaultdict(set)
    for message, order in tasks.links.items():
        messages[order].add(message.int)
    return [
        FoundTask(
            id=str(task.order),
            description=task.description,
            status=task.status,
            messages=frozenset(messages[task.order]),
            notes=(*task.progresses, *task.preferences),
        )
        for task in tasks.tasks.values()
        if task.order != PLANNING
    ]
