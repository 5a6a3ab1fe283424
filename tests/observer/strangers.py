"""Conversations that somebody wrote against behaviour.md who had not seen the rules.

`strangers.txt` has them in blocks. `## name: style` begins one. `U:` is the user, `A:` the agent,
`C:` a call of the agent's, `R:` its result; a line without a mark goes on with the one before.
`@1` says that what follows belongs to task 1, `@1,2` to two, `@0` to none, `@p` to the planning.
Behind all that stands what is expected, in regular expressions: `T 1 success:` a task, `T?` one
that may be there or not, `P 1:` a preference, `F:` what may stand among them, `S:` a secret.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from acontext_server.observer.agents.transcript import Text, ToolCall, ToolResult
from evaluation.conversations import GoldTask
from evaluation.figures import FoundTask
from tests.observer.dialogue import Line, listed, observed

FILE = Path(__file__).with_name("strangers.txt")
_MARK = re.compile(r"^(?P<mark>[UACRFS]|[TP]\??(?: \d\S*)?(?: \w+)?): (?P<rest>.*)$")


@dataclass(slots=True)
class Stranger:
    """One conversation, and what is expected of it."""

    name: str
    lines: list[Line] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    """Calls that wait for their result."""
    belongs: list[frozenset[int]] = field(default_factory=list)
    """The tasks that each line is about."""
    tasks: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Status and words of each, by its number."""
    preferences: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def gold(self) -> list[GoldTask]:
        """The tasks that something was said about, as labelled ones."""
        return [
            GoldTask(
                service="",
                intent="",
                description=words.replace("|", " "),
                status=status,
                messages=messages,
                slots=(),
                calls=(),
            )
            for number, (status, words) in self.tasks.items()
            if (messages := self._messages(number))
        ]

    def _messages(self, number: int) -> frozenset[int]:
        return frozenset(at for at, tasks in enumerate(self.belongs, 1) if number in tasks)

    def found(self) -> list[FoundTask]:
        """What the rules make of it."""
        tasks = observed(self.lines)
        return [
            FoundTask(
                id=str(task.id),
                description=task.description,
                status=str(task.status),
                messages=messages,
                notes=tuple(task.preferences),
            )
            for task in listed(tasks)
            if (
                messages := frozenset(
                    message.int for message, order in tasks.links.items() if order == task.order
                )
            )
        ]


def strangers() -> Iterator[Stranger]:
    """Read them all."""
    for block in re.split(r"^## ", FILE.read_text(), flags=re.MULTILINE)[1:]:
        head, _, body = block.partition("\n")
        yield _read(Stranger(head.partition(":")[0]), body.rstrip().splitlines())


def _read(stranger: Stranger, lines: list[str]) -> Stranger:
    about: frozenset[int] = frozenset()
    for line in lines:
        found = _MARK.match(line)
        if line.startswith("@"):
            about = frozenset(int(one) for one in line[1:].split(",") if one != "p")
        elif found is None:
            _go_on(stranger, line)
        elif found["mark"] in "UACR":
            _say(stranger, found["mark"], found["rest"])
        else:
            _expect(stranger, found["mark"].split(), found["rest"])
        stranger.belongs += [about] * (len(stranger.lines) - len(stranger.belongs))
    return stranger


def _say(stranger: Stranger, mark: str, text: str) -> None:
    match mark:
        case "U":
            stranger.lines.append(("user", (Text(text=text),)))
        case "A":
            stranger.lines.append(("assistant", (Text(text=text),)))
        case "C":
            name, _, arguments = text.partition(" ")
            json.loads(arguments)
            call = ToolCall(
                id=f"c{len(stranger.lines)}.{len(stranger.open)}", name=name, arguments=arguments
            )
            if not stranger.lines or stranger.lines[-1][0] != "assistant":
                stranger.lines.append(("assistant", ()))
            role, parts = stranger.lines[-1]
            stranger.lines[-1] = (role, (*parts, call))
            stranger.open.append(call.id)
        case _:
            told = text.replace("\\n", "\n")
            answer = ToolResult(call_id=stranger.open.pop(0), name="", text=told)
            stranger.lines.append(("user", (answer,)))


def _expect(stranger: Stranger, mark: list[str], words: str) -> None:
    match mark:
        case ["T", number, status]:
            stranger.tasks[int(number)] = (status, words)
        case ["P", _]:
            stranger.preferences.append(words)
        case ["F"]:
            stranger.allowed.append(words)
        case ["S"]:
            stranger.secrets.append(words)


def _go_on(stranger: Stranger, line: str) -> None:
    role, parts = stranger.lines[-1]
    *before, last = parts
    if isinstance(last, Text):
        stranger.lines[-1] = (role, (*before, Text(text=f"{last.text}\n{line}".rstrip())))
