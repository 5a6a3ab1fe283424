"""Open calls: the tool calls of a session that no result has answered yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from acontext_server.session.content import Content, Part, PartType
from acontext_server.session.domain import InvalidMessage


def has_results(content: Content) -> bool:
    """Whether results came with it; those in Gemini's form are matched with open calls."""
    return any(map(_is_response, content.parts))


def _is_response(part: Part) -> bool:
    return part.type is PartType.TOOL_RESULT and "name" in part.meta


@dataclass(slots=True)
class OpenCalls:
    """The calls that wait for a result, the oldest first, with the names of their tools."""

    waiting: dict[str, str] = field(default_factory=dict)

    @classmethod
    def after(cls, contents: Iterable[Content]) -> "OpenCalls":
        """Walk through what a session has said so far."""
        calls = cls()
        for content in contents:
            calls.add(content)
        return calls

    def add(self, content: Content) -> None:
        """Open the calls of a message and close those that it answers."""
        self.waiting |= content.calls()
        for call_id in content.answered():
            self.waiting.pop(call_id, None)

    def answer(self, content: Content) -> Content:
        """Give each response the call it answers; one that answers none is refused."""
        parts = [self._answer(part, index) for index, part in enumerate(content.parts)]
        return content._replace(parts=tuple(parts))

    def _answer(self, part: Part, index: int) -> Part:
        if not _is_response(part):
            return part
        call_id = part.call_id or self._oldest(part.tool)
        if call_id is None or self.waiting.get(call_id) != part.tool:
            raise InvalidMessage(
                f"blob.parts[{index}].functionResponse", "answers no open call of the session"
            )
        del self.waiting[call_id]
        return part._replace(meta={**part.meta, "tool_call_id": call_id})

    def _oldest(self, tool: str | None) -> str | None:
        return next((id_ for id_, name in self.waiting.items() if name == tool), None)
