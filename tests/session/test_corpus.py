"""Whole conversations of each provider, in through the JSON door and out in every format.

`corpus/<provider>.json` is what goes in and has to come out of the same format value for value;
`corpus/<provider>.as.<format>.json` is what another format can hold of it, read by a person.
`WRITE_CORPUS=1` writes those anew, to be read again.
"""

import json
import os
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.session.conversation import Conversation

CORPUS = Path(__file__).parent / "corpus"
PROVIDERS = ("openai", "anthropic", "gemini")


def told(name: str) -> Any:
    return json.loads((CORPUS / f"{name}.json").read_text())


async def stored(talk: Conversation, provider: str) -> str:
    session = await talk.create()
    for message in told(provider):
        await talk.put(session.id, message, provider)
    return session.id


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_conversation_comes_back_as_it_went_in(talk: Conversation, provider: str) -> None:
    page = await talk.page(await stored(talk, provider), format=provider)
    expected = [as_spoken(provider, message) for message in told(provider)]
    assert exact(page["items"]) == exact(expected)


@pytest.mark.parametrize(("provider", "form"), list(permutations(PROVIDERS, 2)))
async def test_another_format_holds_what_it_can(
    talk: Conversation, provider: str, form: str
) -> None:
    page = await talk.page(await stored(talk, provider), format=form)
    file = CORPUS / f"{provider}.as.{form}.json"
    if os.environ.get("WRITE_CORPUS"):
        file.write_text(json.dumps(page["items"], ensure_ascii=False, indent=1) + "\n")
    assert exact(page["items"]) == exact(told(file.stem))


def as_spoken(provider: str, message: dict[str, Any]) -> dict[str, Any]:
    """Say a message in the shortest of the spellings that mean the same.

    Text parts of a tool's answer are one text.
    """
    if provider == "openai" and message["role"] == "tool" and isinstance(message["content"], list):
        return {**message, "content": "".join(part["text"] for part in message["content"])}
    return message


def exact(items: Any) -> str:
    """Compare numbers and texts as JSON has them: 1 is not 1.0, and true is not 1."""
    return json.dumps(items, sort_keys=True, ensure_ascii=False)
