"""Messages as agents have them: a provider's objects or dicts, or parts of our own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class ProviderMessage(Protocol):
    """What the OpenAI, Anthropic and Gemini SDKs hand out."""

    def model_dump(self) -> dict[str, Any]:
        """Return plain dicts and lists."""
        ...


@dataclass(slots=True)
class MessagePart:
    """One piece of a message: `text`, `image`, `audio`, `video`, `file`, `tool-call`, … ."""

    type: str
    text: str | None = None
    meta: Mapping[str, Any] | None = None
    file_field: str | None = None
    """Names the upload that has this part's bytes."""


@dataclass(slots=True)
class AcontextMessage:
    """A message in our own form, for `format="acontext"`."""

    role: Literal["user", "assistant", "system", "developer"]
    parts: list[MessagePart]
    meta: Mapping[str, Any] | None = None


MessageBlob = Mapping[str, Any] | AcontextMessage | ProviderMessage
"""One message: a dict in a provider's form, a provider's object, or one of ours."""


def build_acontext_message(
    *,
    role: Literal["user", "assistant", "system", "developer"],
    parts: Sequence[MessagePart | str | Mapping[str, Any]],
    meta: Mapping[str, Any] | None = None,
) -> AcontextMessage:
    """Make a message of parts; a string is a part of text."""
    if role not in ("user", "assistant", "system", "developer"):
        raise ValueError(f"role is user, assistant, system or developer, not {role!r}")
    return AcontextMessage(role=role, parts=[_part(part) for part in parts], meta=meta)


def _part(part: MessagePart | str | Mapping[str, Any]) -> MessagePart:
    if isinstance(part, MessagePart):
        return part
    if isinstance(part, str):
        return MessagePart(type="text", text=part)
    known = {name: part.get(name) for name in ("text", "meta", "file_field")}
    return MessagePart(type=str(part["type"]), **known)


def blob_json(blob: MessageBlob) -> bytes:
    """Write a message as the JSON object that is stored.

    A whole reply counts as the message in it: the first choice of an OpenAI completion, the first
    candidate of Gemini's.
    """
    return json.dumps(_plain(_inside(blob)), default=_plain, allow_nan=False).encode()


def _inside(blob: Any) -> Any:
    choices = getattr(blob, "choices", None)
    if choices:
        return choices[0].message
    candidates = getattr(blob, "candidates", None)
    return candidates[0].content if candidates else blob


def _plain(value: Any) -> Any:
    if isinstance(value, AcontextMessage):
        parts = [_without_none(part, "type", "text", "meta", "file_field") for part in value.parts]
        return _without_none(value, "role", "meta") | {"parts": parts}
    if hasattr(value, "model_dump"):
        return _dumped(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a message holds no {type(value).__name__}; give dicts or a provider's object")


def _dumped(value: Any) -> Any:
    from ._model import Fields, Model

    if isinstance(value, Model | Fields):
        return value.model_dump()
    return value.model_dump(mode="json", by_alias=True)


def _without_none(value: object, *names: str) -> dict[str, Any]:
    given = {name: getattr(value, name) for name in names}
    return {name: one for name, one in given.items() if one is not None}
