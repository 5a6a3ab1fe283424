"""The context for the next model call: which messages stay verbatim, and a summary of the rest."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from acontext_server.session.content import Content, Part, PartType
from acontext_server.session.domain import Message, TaskId

Count: TypeAlias = Callable[[str], int]
Place: TypeAlias = tuple[int, ...]
"""Where a line stands: section, task, number. A section's heading stands at the section itself."""

_PREFERENCES, _CLOSED, _OPEN = range(3)
_HEADINGS = ("What the user expects:", "Closed tasks:", "Open tasks:")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNote:
    """What observer knows of a task."""

    id: TaskId
    order: int
    status: str
    description: str
    progresses: Sequence[str]
    preferences: Sequence[str]

    @property
    def is_closed(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in ("success", "failed")


@dataclass(frozen=True, slots=True)
class Summary:
    """Preferences and tasks in one text."""

    text: str
    tokens: int
    """Of the text as a message of its own."""


def summarise(notes: Sequence[TaskNote], *, budget: int, share: int, count: Count) -> Summary:
    """Tell preferences within the budget, then tasks as long as all of it is within a share of it.

    A larger share only adds: open tasks come first, then closed ones, then their progress, each
    time the newest first.
    """
    page = _Page(count)
    newest_first = sorted(notes, key=lambda note: note.order, reverse=True)
    for place, text in _preferences(newest_first):
        page.add(place, text, budget)
    for place, text in _tasks(newest_first):
        if not page.add(place, text, share):
            break
    return Summary(page.text, page.tokens)


def _preferences(notes: Iterable[TaskNote]) -> Iterator[tuple[Place, str]]:
    known: set[str] = set()
    for note in notes:
        for number, preference in enumerate(note.preferences):
            line = _line(preference)
            if line.casefold() not in known:
                known.add(line.casefold())
                yield (_PREFERENCES, note.order, number), f"- {line}"


def _tasks(notes: Sequence[TaskNote]) -> Iterator[tuple[Place, str]]:
    for note in notes:
        if not note.is_closed:
            yield (_OPEN, note.order), _headline(note)
    closed = [note for note in notes if note.is_closed]
    for note in closed:
        yield (_CLOSED, note.order), _headline(note)
    for note in closed:
        for number, progress in reversed([*enumerate(note.progresses)]):
            yield (_CLOSED, note.order, number), f"- {_line(progress)}"


def _headline(note: TaskNote) -> str:
    return f"{note.order}. {_line(note.description)} ({note.status})"


def _line(text: str) -> str:
    return " ".join(text.split())


@dataclass(slots=True)
class _Page:
    """Lines that fit together.

    Tokens of lines add up: o200k_base never joins a line's end with a letter, a digit or a dash.
    """

    count: Count
    tokens: int = 0
    lines: dict[Place, str] = field(default_factory=dict)

    def add(self, place: Place, text: str, limit: int) -> bool:
        """Add a line, with the heading of its section if it is the first, unless it is too much."""
        new = {place: f"{text}\n"}
        heading = place[:1]
        if heading not in self.lines:
            new[heading] = f"{_HEADINGS[place[0]]}\n"
        tokens = self.tokens + sum(map(self.count, new.values()))
        if tokens > limit:
            return False
        self.lines |= new
        self.tokens = tokens
        return True

    @property
    def text(self) -> str:
        return "".join(self.lines[place] for place in sorted(self.lines)).removesuffix("\n")


@dataclass(frozen=True, slots=True)
class Picked:
    """Messages that stay verbatim, oldest first."""

    messages: Sequence[Message]
    is_full: bool
    """Whether older messages could not add to them."""


def pick(
    messages: Sequence[Message],
    closed: frozenset[TaskId],
    *,
    budget: int,
    room: int,
    weigh: Callable[[Message], int],
) -> Picked:
    """Take what belongs to no closed task, the newest first, until the tokens or bytes are used.

    A call and its results are taken together or not at all. What is larger than everything that
    there is to spend is passed over.
    """
    kept: list[Message] = []
    calls_may_be_older = False
    for exchange in sorted(_exchanges(messages), key=_Exchange.newest, reverse=True):
        if exchange.is_of(closed) or exchange.waiting:
            continue
        if exchange.lacks_call:
            calls_may_be_older = True
            continue
        tokens = sum(message.tokens for message in exchange.messages)
        size = sum(map(weigh, exchange.messages))
        if tokens <= budget and size <= room:
            kept += exchange.messages
            budget -= tokens
            room -= size
        elif kept:
            return Picked(_in_order(kept), is_full=not calls_may_be_older)
    return Picked(_in_order(kept), is_full=False)


def _in_order(messages: Iterable[Message]) -> list[Message]:
    return sorted(messages, key=lambda message: message.sequence)


@dataclass(slots=True, eq=False)
class _Exchange:
    """A message alone, or calls with their results."""

    messages: list[Message] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)
    """Calls without a result."""
    lacks_call: bool = False

    def newest(self) -> int:
        return max(message.sequence for message in self.messages)

    def is_of(self, tasks: frozenset[TaskId]) -> bool:
        return all(message.task_id in tasks for message in self.messages)

    def absorb(self, other: "_Exchange") -> None:
        self.messages += other.messages
        self.waiting |= other.waiting
        self.lacks_call = self.lacks_call or other.lacks_call


def _exchanges(messages: Iterable[Message]) -> Iterator[_Exchange]:
    """Put calls and results together; the id of a call that was answered may come again."""
    exchanges: dict[_Exchange, None] = {}
    of_call: dict[str, _Exchange] = {}
    for message in messages:
        results = _calls(message.content, PartType.TOOL_RESULT)
        earlier = list(dict.fromkeys(of_call[call] for call in results if call in of_call))
        exchange = earlier[0] if earlier else _Exchange()
        for other in earlier[1:]:
            exchange.absorb(other)
            del exchanges[other]
            of_call |= {call: exchange for call, one in of_call.items() if one is other}
        exchanges[exchange] = None
        exchange.messages.append(message)
        exchange.lacks_call = exchange.lacks_call or not results <= of_call.keys()
        exchange.waiting -= results
        calls = _calls(message.content, PartType.TOOL_CALL)
        exchange.waiting |= calls
        of_call |= dict.fromkeys(calls, exchange)
    yield from exchanges


def _calls(content: Content, kind: PartType) -> set[str]:
    return {_name(part) for part in content.parts if part.type is kind}


def _name(part: Part) -> str:
    # OpenAI's older functions have no ids: there a result follows its call by name.
    return f"id {part.call_id}" if part.call_id else f"name {part.tool}"
