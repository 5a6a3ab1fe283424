"""Small questions about words that more than one rule asks."""

import re
from collections.abc import Iterable

_STOP_WORDS = (
    "a about all am an and any are as at be been but by can could did do does for from had "
    "has have he help her him his how i if in is it its just let like may me might my need no "
    "not of on one or our please she should so some somebody someone thank thanks that the "
    "their them then there these they this those to us user users use want wants was we were "
    "what when where which who will with would you your yes "
)
STOP_WORDS = frozenset(_STOP_WORDS.split())


def words(text: str) -> list[str]:
    """Split a text into its words, names of tools included (`getUser_2` is get, user, 2)."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).replace("_", " ")
    return re.findall(r"[^\W_]+(?:'[a-z]+)?", spaced)


def content_words(text: str) -> list[str]:
    """Leave out the words that say nothing alone."""
    return [low for word in words(text) if (low := word.casefold()) not in STOP_WORDS]


def humanise(name: str) -> str:
    """Read the name of a tool or a parameter aloud."""
    return " ".join(word.lower() for word in words(name))


def sentences(text: str) -> list[str]:
    """Split at the ends of sentences and lines, without list markers."""
    lines = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [line for raw in lines if (line := re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", raw).strip())]


def listed(items: Iterable[str]) -> str:
    """Join as one would say it: a, b and c."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
