"""Plans that an agent states, as lists or in prose."""

import re

from acontext_server.observer.agents.language import sentences
from acontext_server.observer.agents.vocabulary import VERBS, Cue

_PLAN_LEAD = Cue(
    r"\b(?:plan|plans|steps?|approach|roadmap|to-?do|strategy|stages|phases|proposal|i(?:'ll|'d"
    r"| will| would| can| am going to|'m going to)"
    r"|here(?:'?s| is) (?:how|what)|propos(?:e|al)|suggest|the following|break (?:this|it) down"
    r"|we(?:'ll| will| can))\b"
)
_INSTRUCTING = Cue(
    r"\bfollow\b|\bhow to\b|\byou (?:can|could|may|might|should|must|need to|have to|will need)\b"
)
"""The steps are for the user to take."""
_ITEM = re.compile(
    r"^\s{0,2}(?:#{1,6}\s+)?(?:\*\*)?(?:step\s*)?(?P<number>\d{1,2})\s*[.):]\s*(?P<text>\S.*)$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s?(?:[-*•+]|\[ ?\])\s+(?:\[ ?\]\s*)?(?P<text>\S.*)$")
_PLAN_ANNOUNCED = Cue(
    r"\b(?:plan|plans|steps?|approach|roadmap|to-?do|strategy|here(?:'s| is) (?:how|what)"
    r"|propos(?:e|al)|the following|break (?:this|it) down"
    r"|(?:i|we)(?:'ll| will| am going to|'m going to))\b[^?]*:\W*$"
)
_FIRST_THEN = re.compile(
    r"\bfirst(?:ly)?,? (?:of all,? )?(?:(?:i|we)(?:'ll| will| would|'d| am going to|'m going to)"
    r" |let me |let's )(?P<steps>.*\b(?:then|next|after that|finally|lastly)\b.*)$",
    re.IGNORECASE,
)
_NEXT_IN_PROSE = re.compile(
    r"[,;]?\s*\b(?:and )?(?:then|next|after that|afterwards|finally|lastly|at last)\b,?\s*",
    re.IGNORECASE,
)
_LED_IN_PROSE = re.compile(
    r"^(?:and )?(?:(?:i|we)(?:'ll| will| would|'d| am going to|'m going to) )?(?:also )?",
    re.IGNORECASE,
)
_MOST_STEPS = 12
_LEAST_IN_PROSE = 2


def steps_in(text: str) -> list[str]:
    """The top-level steps of a plan that an agent states, or none."""
    lead, steps = _numbered(text) or _bulleted(text) or ("", [])
    if not 2 <= len(steps) <= _MOST_STEPS or any(step.endswith("?") for step in steps):
        return _steps_in_prose(text)
    if not _PLAN_LEAD.is_in(lead) or _INSTRUCTING.is_in(lead):
        return []
    return steps if sum(_starts_with_verb(step) for step in steps) * 2 >= len(steps) else []


def _numbered(text: str) -> tuple[str, list[str]] | None:
    lines = text.splitlines()
    items = [(index, found) for index, line in enumerate(lines) if (found := _ITEM.match(line))]
    if [int(found["number"]) for _, found in items] != [*range(1, len(items) + 1)] or not items:
        return None
    return " ".join(lines[: items[0][0]]), [_plain(found["text"]) for _, found in items]


def _bulleted(text: str) -> tuple[str, list[str]] | None:
    """Only a list right behind its lead is a plan; bullets tell findings as often."""
    lines = text.splitlines()
    items = [(index, found) for index, line in enumerate(lines) if (found := _BULLET.match(line))]
    if not items or not _PLAN_ANNOUNCED.is_in(" ".join(lines[: items[0][0]])):
        return None
    steps = [_plain(found["text"]) for _, found in items]
    return " ".join(lines[: items[0][0]]), steps


def _steps_in_prose(text: str) -> list[str]:
    """First …, then …, and finally …: at least three, each with a verb."""
    for sentence in sentences(text):
        found = _FIRST_THEN.search(sentence)
        if not found:
            continue
        parts = _NEXT_IN_PROSE.split(found["steps"].rstrip(".!"))
        steps = [_LED_IN_PROSE.sub("", part.strip(" ,;")) for part in parts]
        if len(steps) > _LEAST_IN_PROSE and all(map(_starts_with_verb, steps)):
            return steps
    return []


def _plain(step: str) -> str:
    return step.replace("**", "").strip(" *")


def _starts_with_verb(text: str) -> bool:
    """Perhaps behind a heading of its own: `Backend: set up a database`."""
    return bool(
        re.match(
            rf"^(?:[^:–—]{{1,40}}\s?[:–—]|\W*)\s*(?:{VERBS})(?:e?s|ing)?\b", text, re.IGNORECASE
        )
    )
