"""Writing a batch down for a model: tasks, then numbered messages, all of it quoted."""

from collections.abc import Iterable, Iterator, Sequence

from acontext_server.kit.model.quoting import in_one_line, quoted
from acontext_server.observer.agents.engine import Batch, Wishes
from acontext_server.observer.agents.transcript import (
    Message,
    Other,
    Part,
    Text,
    ToolCall,
    ToolResult,
)
from acontext_server.observer.domain import PLANNING, TaskState

LONGEST_PART = 2000
LONGEST_BATCH = 100_000
"""So many characters of a batch are shown, by shortening its parts."""
LAST_LINES = 4
"""So many of a task's lines of progress are shown."""


def batch_text(batch: Batch, share: float = 1) -> str:
    """Write down what an engine is asked to observe, or a share of it."""
    parts = sum(len(message.parts) for message in (*batch.context, *batch.messages))
    limit = int(min(LONGEST_PART, LONGEST_BATCH / max(parts, 1)) * share)
    before = [
        line
        for message in batch.context
        for line in _message(f"[before] {_speaker(message)}", message, limit)
    ]
    new = [
        line
        for number, message in enumerate(batch.messages, start=1)
        for line in _message(f"[{number}] {_speaker(message)}", message, limit)
    ]
    count = len(batch.messages)
    sections: list[tuple[str, Iterable[str]]] = [
        *_criteria(batch.wishes),
        ("Tasks so far", list(_tasks(batch.tasks)) or ["none"]),
        ("Earlier messages, recorded already, for context only", before),
        (f"New messages, 1 to {count}", new),
    ]
    return "\n\n".join(f"## {title}\n" + "\n".join(lines) for title, lines in sections if lines)


def _criteria(wishes: Wishes) -> Iterator[tuple[str, Iterable[str]]]:
    """Say what the project counts as success and failure, where it says so itself."""
    if wishes.success_criteria:
        yield "When a task is success in this project", [quoted(wishes.success_criteria)]
    if wishes.failure_criteria:
        yield "When a task is failed in this project", [quoted(wishes.failure_criteria)]


def _tasks(tasks: Sequence[TaskState]) -> Iterator[str]:
    for task in sorted(tasks, key=lambda one: one.order):
        if task.order == PLANNING:
            continue
        yield f"{task.order}. [{task.status}] {in_one_line(task.description)}"
        yield from (f"   progress: {in_one_line(one)}" for one in task.progresses[-LAST_LINES:])
        yield from (f"   preference: {in_one_line(one)}" for one in task.preferences)


def _speaker(message: Message) -> str:
    if message.results and not message.text:
        return "tool"
    return {"user": "user", "assistant": "agent", "system": "system"}.get(message.role, "other")


def _message(head: str, message: Message, limit: int) -> Iterator[str]:
    yield head
    for part in message.parts:
        yield from _part(part, limit)


def _part(part: Part, limit: int) -> Iterator[str]:
    match part:
        case Text():
            yield quoted(part.text, limit=limit)
        case ToolCall():
            yield f"calls the tool {_name(part.name)} {_name(part.id)} with"
            yield quoted(part.arguments, limit=limit)
        case ToolResult():
            outcome = "an error" if part.is_error else "a result"
            yield f"{outcome} of the tool {_name(part.name)} {_name(part.call_id)}"
            yield quoted(part.text, limit=limit)
        case Other():
            yield f"(a part of type {_name(part.type)})"


def _name(text: str) -> str:
    return in_one_line(text, limit=80) if text else ""
