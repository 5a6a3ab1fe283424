"""What a task looked like to the agent that did it: the raw material of a lesson."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from acontext_server.space.domain.skills import Difficulty, Sop, plain
from acontext_server.space.domain.text import sentences


@dataclass(frozen=True)
class Text:
    """Something said."""

    text: str


@dataclass(frozen=True)
class Call:
    """A tool call with its parsed arguments, or their text where it is no JSON."""

    call_id: str
    name: str
    arguments: object


@dataclass(frozen=True)
class Result:
    """What a tool answered."""

    call_id: str
    text: str
    is_error: bool = False


@dataclass(frozen=True)
class Turn:
    """One message of the task."""

    message_id: str
    role: str
    parts: tuple[Text | Call | Result, ...]

    @property
    def text(self) -> str:
        """Join what is said in it."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True)
class DifficultyRule:
    """What else makes a task hard, in a project's words. Read by a model only."""

    text: str
    is_critical: bool = False


@dataclass(frozen=True)
class Wishes:
    """What a project asks of models; empty means what the server was set to."""

    models: Mapping[str, str] = field(default_factory=dict)
    """By role."""
    rounds: int = 0


@dataclass(frozen=True)
class Cost:
    """What an agent took, where a model did it."""

    rounds: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    price: float | None = None
    """In the currency of the configured prices."""
    engine: str = ""
    """The model that did it."""
    note: str = ""
    """What else whoever reads the run wants to know."""


@dataclass(frozen=True)
class Experience:
    """A completed task with its messages, and the tasks before it for their conditions."""

    description: str
    turns: tuple[Turn, ...]
    preferences: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    """Descriptions and preferences of up to five earlier tasks of the session."""
    rules: tuple[DifficultyRule, ...] = ()
    """The project's own."""
    wishes: Wishes = field(default_factory=Wishes)

    def said_by(self, role: str) -> Iterator[Turn]:
        """Go through the turns in which this role says something."""
        return (turn for turn in self.turns if turn.role == role and turn.text)


@dataclass(frozen=True)
class Lesson:
    """What distilling makes of an experience, before the gate."""

    sop: Sop
    difficulty: Difficulty
    cost: Cost = Cost()


def without_served(experience: Experience, served: Collection[str]) -> Experience:
    """Take out what a space had given to the agent, so that it is not learned as if it were new.

    `served` are the texts of skills: their sentences are dropped wherever they are repeated, and
    so are a message that carries skills as data, and a call that was answered with them.
    """
    known = frozenset(plain(line) for text in served for line in sentences(text)) - {""}
    searches = {
        part.call_id
        for turn in experience.turns
        for part in turn.parts
        if isinstance(part, Result) and _is_served(part.text)
    }
    preferences = (_unserved(preference, known) for preference in experience.preferences)
    return replace(
        experience,
        preferences=tuple(filter(None, preferences)),
        turns=tuple(_without(turn, searches, known) for turn in experience.turns),
    )


SERVED_MARKS = ("tool_sops", "cited_blocks", "use_when")


def _without(turn: Turn, searches: Collection[str], known: Collection[str]) -> Turn:
    own = (
        part
        for part in turn.parts
        if not (isinstance(part, Text) and _is_served(part.text))
        and not (isinstance(part, Call | Result) and part.call_id in searches)
    )
    parts = (Text(_unserved(part.text, known)) if isinstance(part, Text) else part for part in own)
    return replace(turn, parts=tuple(parts))


def _is_served(text: str) -> bool:
    return any(f'"{mark}"' in text for mark in SERVED_MARKS)


def _unserved(text: str, known: Collection[str]) -> str:
    if not known:
        return text
    return " ".join(line for line in sentences(text) if plain(line) not in known)
