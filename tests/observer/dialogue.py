"""Builders: a conversation in a few words."""

import json
from collections.abc import Iterable, Sequence
from itertools import count
from uuid import UUID

from acontext_server.observer.agents.memory import State
from acontext_server.observer.agents.rules import fold
from acontext_server.observer.agents.transcript import Message, Part, Text, ToolCall, ToolResult
from acontext_server.observer.domain import PLANNING, MessageId, NewId, TaskList, TaskState

Line = tuple[str, tuple[Part, ...]]


def user(text: str) -> Line:
    """The user speaks."""
    return "user", (Text(text=text),)


def agent(text: str = "", *, call: str = "", call_id: str = "c1", **arguments: object) -> Line:
    """The agent speaks, calls a tool, or both."""
    said: tuple[Part, ...] = (Text(text=text),) if text else ()
    asked = (ToolCall(id=call_id, name=call, arguments=json.dumps(arguments)),) if call else ()
    return "assistant", (*said, *asked)


def tool(text: str, *, call_id: str = "c1", is_error: bool = False) -> Line:
    """A tool answers."""
    return "user", (ToolResult(call_id=call_id, name="", text=text, is_error=is_error),)


def messages(lines: Iterable[Line]) -> list[Message]:
    """Number the lines of a conversation."""
    return [
        Message(sequence=number, id=MessageId(UUID(int=number)), role=role, parts=parts)
        for number, (role, parts) in enumerate(lines, start=1)
    ]


def observed(lines: Iterable[Line]) -> TaskList:
    """Fold a conversation with the rules."""
    state, tasks = State(), TaskList(new_id=numbered())
    for message in messages(lines):
        state, changes = fold(state, message)
        for change in changes:
            tasks.apply(change)
    return tasks


def numbered() -> NewId:
    """Give ids that are the same in every run."""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


def listed(tasks: TaskList) -> Sequence[TaskState]:
    """The tasks without the planning section."""
    return [tasks.tasks[order] for order in sorted(tasks.tasks) if order != PLANNING]


def statuses(lines: Iterable[Line]) -> list[str]:
    """The statuses that come out of a conversation."""
    return [str(task.status) for task in listed(observed(lines))]


def descriptions(lines: Iterable[Line]) -> list[str]:
    """The descriptions that come out of a conversation."""
    return [task.description for task in listed(observed(lines))]
