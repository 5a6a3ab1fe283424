"""How the rules put things: descriptions near the user's words, progress in the agent's voice."""

import re

import orjson

from acontext_server.observer.agents import cues
from acontext_server.observer.agents.transcript import ToolCall

_LONGEST = 240

_POLITENESS = re.compile(
    r"^(?:(?:please|also|now|just|then|so|and|but|actually|kindly|maybe)\b[,\s]*)*"
    r"(?:(?:can|could|would|will) (?:you|i|we)(?: please| also| just| kindly)*"
    r"(?: (?:help|assist)(?: me)?(?: to| with| in)?)?\s+"
    r"|(?:i|we)(?:'d| would)?(?: also| really| just)?"
    r" (?:need|want|wish|like)(?: you)?(?: to| for you to)?\s+(?:(?:some )?(?:help"
    r"|assistance) (?:with|in)\s+)?(?=\w)"
    r"|help me(?: please)?(?: to| with| in)?\s+)?(?:please\s+)?",
    re.IGNORECASE,
)
_FIRST_PERSON = tuple(
    (re.compile(rf"\b{spoken}\b", re.IGNORECASE), told)
    for spoken, told in (
        ("I'm", "they're"),
        ("I am", "they are"),
        ("I was", "they were"),
        ("I've", "they've"),
        ("I'll", "they'll"),
        ("I'd", "they'd"),
        ("I", "they"),
        ("myself", "themselves"),
        ("me", "them"),
        ("my", "their"),
        ("mine", "theirs"),
    )
)
_WANTING = re.compile(
    r"^(?:and |but |so |also )*(?:i|we)(?:'d| would)?(?: also| really| just| only| still)*"
    r" (?P<verb>want|need|prefer|like|love|expect|wish|wanna|have)\b\s*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_EXPECTING = re.compile(
    r"^(?:let'?s|let us|please|make sure(?: that)?|kindly)\b[,\s]*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_FORBIDDING = re.compile(
    r"^(?:don'?t|do not|never|avoid)\b\s*(?P<rest>.*)$", re.IGNORECASE | re.DOTALL
)


def description(text: str) -> str:
    """Name a task by the request that opened it."""
    request = cues.request_in(text) or _longest(text)
    rest = cues.content(request) or request
    named = _POLITENESS.sub("", rest, count=1).strip() or rest
    return _capital(_short(named.rstrip("?!. ")))


def offered(offer: str, text: str) -> str:
    """Name a task by what the agent offered, with what the user added."""
    named = _capital(_short(re.sub(r"^(?:me )?to\b\s*", "", offer).rstrip("?!. ")))
    added = " ".join(cues.content(sentence) for sentence in cues.sentences(text)).strip()
    return _short(f"{named}: {added.rstrip('?!. ')}" if added else named)


def named_after(call: ToolCall) -> str:
    """Name a task by the tool that was called for it."""
    return _capital(_short(f"{_spaced(call.name)}{_with_arguments(call)}"))


def preference(sentence: str) -> str:
    """Say what a sentence of the user wants or states, in the third person."""
    rest = (cues.content(sentence) or sentence).strip().rstrip(".!?")
    if found := _WANTING.match(rest):
        verb = {"like": "wants", "love": "wants", "wanna": "wants to", "have": "has"}
        said = verb.get(found["verb"].casefold(), found["verb"].casefold() + "s")
        return _short(f"user {said} {_third_person(found['rest'])}".replace("wishs", "wishes"))
    if found := _FORBIDDING.match(rest):
        return _short(f"user does not want to {_third_person(found['rest'])}")
    if found := _EXPECTING.match(rest):
        return _short(f"user expects to {_third_person(found['rest'])}")
    if cues.is_request(rest):
        return _short(f"user wants: {_third_person(_POLITENESS.sub('', rest, count=1))}")
    return _short(f"user says: {_one_line(rest)}")


def with_referent(named: str, referent: str) -> str:
    """Add to a name that only points ("book it") what it points at."""
    return f"{named} ({_short(referent, 160)})" if referent else named


def read_back(text: str) -> str:
    """Tell what the agent asked the user to confirm."""
    return _short(f"I asked the user to confirm: {_first_person(_one_line(text))}", 2 * _LONGEST)


def announced(text: str) -> str:
    """Tell what the agent says it is doing."""
    return _short(_first_person(_one_line(text)))


def called(call: ToolCall) -> str:
    """Tell of a tool that was called without a word."""
    return _short(f"I called {call.name}{_with_arguments(call)}")


def reported(text: str) -> str:
    """Tell what the agent delivered."""
    return _short(_first_person(_one_line(text)), 2 * _LONGEST)


def failing(call_name: str, text: str) -> str:
    """Tell of an error that a tool answered with; its end says most."""
    return _short(f"I got an error from {call_name or 'a tool'}: {_middle_cut(_one_line(text))}")


def _first_person(text: str) -> str:
    return (
        re.sub(
            r"^(?:sure|ok(?:ay)?|of course|certainly|great|alright|absolutely)\b[,.! ]*",
            "",
            text,
            flags=re.IGNORECASE,
        )
        or text
    )


def _third_person(text: str) -> str:
    for pattern, replacement in _FIRST_PERSON:
        text = pattern.sub(replacement, text)
    return _one_line(text)


def _with_arguments(call: ToolCall) -> str:
    try:
        arguments = orjson.loads(call.arguments or "{}")
    except ValueError:
        return ""
    if not isinstance(arguments, dict) or not arguments:
        return ""
    return " with " + ", ".join(
        f"{_spaced(str(key))} {_value(value)}" for key, value in arguments.items()
    )


def _value(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 80 else text[:79] + "…"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip().casefold()


def _longest(text: str) -> str:
    return max((cues.content(part) for part in cues.sentences(text)), key=len, default="") or text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(text: str, longest: int = _LONGEST) -> str:
    line = _one_line(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _middle_cut(text: str) -> str:
    return text if len(text) <= 180 else text[:80] + " … " + text[-90:]
