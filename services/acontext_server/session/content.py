"""What a message says: a role and parts, the one form between all providers' formats.

Parts and contents are tuples: every message makes some, and a frozen dataclass takes twice as long.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from acontext_server.session.free_json import Json, JsonObject


class Role(StrEnum):
    """Who speaks. A tool's answer is a user's message with `tool-result` parts."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    DEVELOPER = "developer"


class PartType(StrEnum):
    """What a part is."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    TOOL_CALL = "tool-call"
    TOOL_RESULT = "tool-result"
    DATA = "data"
    THINKING = "thinking"
    REDACTED_THINKING = "redacted_thinking"


class Format(StrEnum):
    """A form in which messages come in and go out."""

    OPENAI = "openai"
    ACONTEXT = "acontext"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"


SOURCE_FORMAT = "source_format"
"""The key of every message's meta that names the format it came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """Bytes that were uploaded with a message and are kept in Blobs."""

    sha256: str
    mime: str
    size_b: int
    bucket: str = ""
    s3_key: str = ""
    etag: str = ""


_NO_META: JsonObject = {}


class Part(NamedTuple):
    """One piece of a message."""

    type: PartType
    text: str | None = None
    """None and empty differ: an empty result of a tool is a result."""
    meta: JsonObject = _NO_META
    asset: Asset | None = None
    filename: str | None = None

    @property
    def call_id(self) -> str | None:
        """The tool call that this part is, or answers."""
        key = "id" if self.type is PartType.TOOL_CALL else "tool_call_id"
        return text_or_none(self.meta.get(key))

    @property
    def tool(self) -> str | None:
        """The tool's name, as far as the part itself says it."""
        name = text_or_none(self.meta.get("name"))
        return name or text_or_none(self.meta.get("function_name"))


class Content(NamedTuple):
    """A message as it was said, before it has an id and a place in a session."""

    role: Role
    parts: tuple[Part, ...]
    meta: JsonObject

    def calls(self) -> Mapping[str, str]:
        """Give the tool of each call that has an id."""
        parts = (part for part in self.parts if part.type is PartType.TOOL_CALL)
        return {part.call_id: part.tool or "" for part in parts if part.call_id}

    def answered(self) -> frozenset[str]:
        """Give the ids of the calls that this message answers."""
        parts = (part for part in self.parts if part.type is PartType.TOOL_RESULT)
        return frozenset(part.call_id for part in parts if part.call_id)

    @property
    def has_uploads(self) -> bool:
        """Whether bytes came with it that are kept in Blobs."""
        for part in self.parts:  # noqa: SIM110 - asked of every message, any() costs thrice
            if part.asset:
                return True
        return False

    @property
    def uses_tools(self) -> bool:
        """Whether there is a call or an answer of one."""
        return any(part.type in (PartType.TOOL_CALL, PartType.TOOL_RESULT) for part in self.parts)


def text_or_none(value: Json) -> str | None:
    """Take a value that counts only if it is text and not empty."""
    return value if isinstance(value, str) and value else None
