"""What a message is to an engine: who speaks, and the parts that can be read."""

from dataclasses import dataclass
from functools import cached_property

from acontext_server.observer.domain import MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Something said."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool that the agent asked for."""

    id: str
    """Empty where the format has no ids; the oldest open call of the name is meant then."""
    name: str
    arguments: str
    """JSON, as the agent wrote it; a broken one is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered."""

    call_id: str
    name: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A part without words for an engine: an image, a file, a thought."""

    type: str


Part = Text | ToolCall | ToolResult | Other


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a session, in the order of its sequence."""

    sequence: int
    id: MessageId
    role: str
    parts: tuple[Part, ...]

    @cached_property
    def text(self) -> str:
        """All that is said in it."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text)).strip()

    @cached_property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tools it asks for."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @cached_property
    def results(self) -> tuple[ToolResult, ...]:
        """What tools answered in it."""
        return tuple(part for part in self.parts if isinstance(part, ToolResult))
