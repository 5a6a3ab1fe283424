"""Which of a user's wishes hold next time too: neither slots of a service nor personal data."""

import re
from collections.abc import Collection, Iterator

from acontext_server.space.agents.payload import leaves
from acontext_server.space.agents.privacy import is_personal
from acontext_server.space.agents.quantities import counts, has_quantity
from acontext_server.space.agents.wording import in_third_person
from acontext_server.space.domain.experience import Call, Experience, Turn
from acontext_server.space.domain.skills import plain
from acontext_server.space.domain.text import content_words, sentences

LASTING = re.compile(
    r"\b(?:from now on|in (?:the )?future|next time|every time|each time|by default"
    r"|keep in mind|as a rule|whenever|in general|for all (?:my|future)"
    r"|(?<!'ve )(?<!’ve )(?<!have )(?<!has )(?<!had )(?:always|never)\b(?! (?:mind|had|been))"
    r"|(?:^\W*|please |and |also )remember (?:that|to|this|my|i))\b",
    re.IGNORECASE,
)
WAY_OF_WORKING = re.compile(
    r"\b(?:before (?:any|you|doing|the next|\w+ing)\b"
    r"|without (?:first )?(?:ask|tell|check|confirm)ing\b"
    r"|instead of \w+ing|rather than \w+ing|but (?:not|do not|don't|never) \w+"
    r"|(?:do(?:es)? not|don't|doesn't) (?:want (?:you|the agent) to )?"
    r"(?:use|commit|push|delete|change|touch|add|send|write"
    r"|include|mention|remove|rename|create|open|close|run|start|call|reply|fork|merge|modify|ask|skip|forget|deploy|install|share|post|email)\b"
    r"|(?:report|check|confirm|check in) (?:back )?(?:to|with) (?:me|us|the user|them)"
    r"|(?:ask|tell|show|notify|let) (?:me|us|the user|them)\b.{0,40}\b(?:first|before|when|after)"
    r"|step by step|in (?:bullet points?|markdown|plain text|one sentence|json|tables?)\b"
    r"|use (?:the |my |their |a )?(?:\w+ )?(?:account|format|style|template|branch|library"
    r"|framework|convention)s?\b)",
    re.IGNORECASE,
)
HOW_TO_DECIDE = re.compile(
    r"\b(?:as long as|only if|unless|otherwise\b(?=\W+\w+\W+\w+)|instead of|rather than"
    r"|if (?:that|it|this)(?:'s| is|’s)? not (?:possible|available|allowed)"
    r"|(?:use|try|pay with|take) (?!it|that|this)\w.{0,40} first)\b",
    re.IGNORECASE,
)
BEST = re.compile(r"\b(?:cheapest|fastest|shortest|nearest)\b", re.IGNORECASE)
NAME = re.compile(r"(?<=[\w,] )[A-Z][\w-]+")
"""A name in the middle of a sentence: the best of just this is the value of one run."""
TASTE = re.compile(r"\b(?:prefers?|preferred|would rather|'d rather|favou?rs?)\b", re.IGNORECASE)
MIN_WORDS_OF_TASTE = 2
CHOICE = frozenset({"one", "first", "second", "third", "last", "option", "other", "choice"})


def lasting(experience: Experience, personal: Collection[str]) -> list[str]:
    """Pick what holds next time from what was observed, then from the user's own words."""
    slots = _slots(experience)
    observed = [one for one in experience.preferences if _holds(one, slots)]
    said = (_as_preference(line) for _, line in _stated(experience, observed))
    kept = (line.rstrip(".! ") for line in (*observed, *said) if _is_general(line, personal))
    told = (re.sub(r"^user says: the user\b", "user", in_third_person(line)) for line in kept)
    return list({plain(line): line for line in told}.values())


def _is_general(line: str, personal: Collection[str]) -> bool:
    """Amounts and dates hold next time only where the user says so."""
    if counts(line):
        return False
    return not is_personal(line, personal) and bool(LASTING.search(line) or not has_quantity(line))


def stated_in(experience: Experience) -> list[str]:
    """Name the messages in which the user stated a preference that holds next time."""
    slots = _slots(experience)
    turns = experience.said_by("user")
    return [turn.message_id for turn in turns if any(_clear(turn, slots))]


def _clear(turn: Turn, slots: Collection[str]) -> Iterator[bool]:
    return (True for line in sentences(turn.text) if _holds(line, slots))


def _stated(experience: Experience, observed: list[str]) -> Iterator[tuple[str, str]]:
    """Only what must be remembered, and is not among the observed preferences yet."""
    known = {word for one in observed for word in content_words(one)}
    for turn in experience.said_by("user"):
        for line in sentences(turn.text):
            new = set(content_words(line))
            if LASTING.search(line) and len(new & known) * 2 < len(new):
                yield turn.message_id, line


def _holds(line: str, slots: Collection[str]) -> bool:
    if line.rstrip().endswith("?"):
        return False
    lasting = (LASTING, WAY_OF_WORKING, HOW_TO_DECIDE)
    best = BEST.search(line) and not NAME.search(line)
    return bool(best) or any(cue.search(line) for cue in lasting) or _is_taste(line, slots)


def _is_taste(line: str, slots: Collection[str]) -> bool:
    """A taste for a time, a price, an offer or what a tool asks for anyway is a slot."""
    found = TASTE.search(line)
    if not found:
        return False
    liked = content_words(line[found.end() :])
    if has_quantity(line):
        return False
    return len(liked) >= MIN_WORDS_OF_TASTE and not set(liked) & (set(slots) | CHOICE)


def _slots(experience: Experience) -> frozenset[str]:
    """Collect the words in the names and values of all arguments."""
    calls = (part for turn in experience.turns for part in turn.parts if isinstance(part, Call))
    given = (leaf for call in calls for leaf in leaves(call.arguments))
    return frozenset(
        word for path, value in given for word in content_words(" ".join((*path, str(value))))
    )


def _as_preference(line: str) -> str:
    told = re.sub(
        r"^\W*(?:and|also|but|so|ok(?:ay)?|yes|please|can you|could you|remember(?: that| to)?"
        r"|keep in mind(?: that)?)\b[,: ]*",
        "",
        line,
        flags=re.IGNORECASE,
    )
    return f"user asks: {told}"
