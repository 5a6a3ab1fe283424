"""How many tokens a message has, by the vocabulary o200k_base that is shipped with the server."""

from collections.abc import Iterator
from functools import cache
from typing import Protocol, cast

from rs_bpe.bpe import openai

from acontext_server.session.content import Content, Part, PartType
from acontext_server.session.free_json import dump


class _Tokenizer(Protocol):
    def count(self, text: str, /) -> int: ...


def count_tokens(content: Content) -> int:
    """Count a message as one text: the text and the call of each part, each with a line's end."""
    return count_text("".join(_lines(content)))


def count_text(text: str) -> int:
    """Count a text by itself."""
    return _o200k().count(text) if text else 0


def _lines(content: Content) -> Iterator[str]:
    for part in content.parts:
        if part.text:
            yield f"{part.text}\n"
        if part.type is PartType.TOOL_CALL:
            yield f"{_call(part)}\n"


def _call(part: Part) -> str:
    return dump({"arguments": part.meta.get("arguments"), "name": part.meta.get("name")})


@cache
def _o200k() -> _Tokenizer:
    return cast("_Tokenizer", openai.o200k_base())  # the library ships no types
