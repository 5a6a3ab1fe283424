"""How the rules put things: descriptions near the user's words, progress in the agent's voice."""

import re

import orjson

from acontext_server.observer.agents import cues, language
from acontext_server.observer.agents.transcript import ToolCall

_LONGEST = 240
_TECHNICAL = re.compile(
    r"^[\d(][\d\s.,()]*\s[+*/-]\s|^\W*[\w-]*[/\\.]|\w/\w|[=;|<>$`\n]|\s--?\w|\w\.[a-z]{1,5}\b"
    r"|^\w+_\w+$"
)
"""A path, a command, code, an identifier."""
_BODIES = frozenset({"content", "body", "code", "script", "patch", "diff", "thought"})
_LONG_VALUE = 120
"""Longer arguments are content, not what the call is about."""

_POLITENESS = re.compile(
    r"^(?:(?:please|also|now|just|then|so|and|but|actually|kindly|maybe|next|first|finally)\b[,\s]*)*"
    r"(?:(?:can|could|would|will) (?:you|i|we)(?: please| also| just| kindly)*"
    r"(?: (?:help|assist)(?: me)?(?: to| with| in)?)?\s+"
    r"|(?:i|we)(?:'d| would)?(?: also| really| just)?"
    r" (?:need|want|wish|like)(?: you)?(?: to| for you to)?\s+(?:(?:some )?(?:help"
    r"|assistance) (?:with|in)\s+)?(?=\w)"
    r"|(?:i|we)(?:'m| am|'re| are)(?: also| just)? (?:(?:looking|trying|planning|hoping) to"
    r"|(?:looking|searching) for|interested in|thinking (?:of|about)"
    r"|hoping (?:that )?you (?:can|could)(?: help me(?: to| with)?)?)\s+"
    r"|help me(?: please)?(?: to| with| in)?\s+)?(?:please\s+)?",
    re.IGNORECASE,
)
_PERSONS = tuple(
    (re.compile(rf"(?<![\w'])(?:{spoken})(?![\w'])"), told)
    for spoken, told in (
        ("I'm|I am|[Ww]e're|[Ww]e are", "they are"),
        ("I was|[Ww]e were", "they were"),
        ("I've|[Ww]e've", "they have"),
        ("I'll|[Ww]e'll", "they will"),
        ("I'd|[Ww]e'd", "they would"),
        ("[Yy]ou are|[Yy]ou're", "the agent is"),
        ("[Yy]ou've", "the agent has"),
        ("[Yy]ou'll", "the agent will"),
        ("I|[Ww]e", "they"),
        ("myself|ourselves", "themselves"),
        ("mine|ours", "theirs"),
        ("me|us", "them"),
        ("[Mm]y|[Oo]ur", "their"),
        ("[Yy]ours", "the agent's"),
        ("[Yy]our", "the agent's"),
        ("yourself", "itself"),
        ("[Yy]ou", "the agent"),
    )
)
"""Lower case where it matters: `Me` is a word of a title more often than the user."""
_LEAD = re.compile(
    r"^(?:(?:and|but|so|also|then|now|well|oh|no|nope|actually|sorry|wait|hmm+|please|kindly"
    r"|moving on|(?:that|this|it)(?:'s| is| was) not what (?:i|we) \w+(?: for)?"
    r"|by the way|btw|on second thoughts?|in that case|wrong|incorrect|false"
    r"|(?:that|this|it)(?:'s| is) (?:not (?:right|correct)|wrong|incorrect))\b[\s,.;:!-]*)+",
    re.IGNORECASE,
)
_HENCEFORTH = re.compile(
    r"^(?P<from>from now on|in (?:the )?future|next time|going forward|by default)\b[,:]? +"
    r"(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TAIL = re.compile(
    r"[\s,]*\b(?:please|thanks|thank you|by the way|though|ok(?:ay)?)\W*$", re.IGNORECASE
)
_LONGEST_TAIL = 40
"""So many characters at the end of a text are searched for it."""
_WANTING = re.compile(
    r"^(?:i|we)(?:'d| would)?(?: also| really| just| only| still)*"
    r" (?P<verb>want|need|prefer|like|love|expect|wish|wanna)\b\s*(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_WANTS = {"like": "wants", "love": "wants", "wanna": "wants to", "wish": "wishes"}
_AND_WANTING = re.compile(r"\b(and|but) (?:(?:they|I|we) )?(want|need|prefer|expect)\b")
_WISHES = tuple(
    (re.compile(spoken, re.IGNORECASE | re.DOTALL), told)
    for spoken, told in (
        (
            r"(?:i|we) (?:do not|don'?t)(?: really)? (?P<verb>want|need|like|care about)\b"
            r"\s*(?P<rest>.*)",
            "user does not {verb} {rest}",
        ),
        (r"(?:don'?t|do not|avoid)\b\s*(?P<rest>.*)", "user does not want the agent to {rest}"),
        (r"(?:let'?s|let us)\s+(?P<rest>.*)", "user expects the agent to {rest}"),
        (
            r"you (?:(?:should|must|may) not|shouldn't|mustn't|can't|cannot)\s+(?P<rest>.*)",
            "user does not want the agent to {rest}",
        ),
        (
            r"you (?:should|must|have to|need to|can|may)\s+(?P<rest>.*)",
            "user wants the agent to {rest}",
        ),
        (
            r"(?P<subject>(?!i\b|we\b|what|which|how)\w+(?: [^\s,]+){0,6}?)"
            r" (?:(?:should|must) not|shouldn't|mustn't) (?P<rest>.*)",
            "user expects {subject} not to {rest}",
        ),
        (
            r"(?P<subject>(?!i\b|we\b|what|which|how)\w+(?: [^\s,]+){0,6}?)"
            r" (?:should|must|ought to|ha(?:s|ve) to|needs? to) (?P<rest>.*)",
            "user expects {subject} to {rest}",
        ),
        (
            r"(?P<rest>(?:make|be) sure\b.*|remember (?:to|that)\b.*)",
            "user wants the agent to {rest}",
        ),
        (
            r"(?:i|we)(?:'m| am|'re| are| was| were|'ve been| have been)? (?:also |just )?"
            r"(?:looking|searching|thinking|hoping|planning|interested|trying)"
            r"(?: for| of| about| on| in| to)?\s+(?P<rest>.*)",
            "user wants {rest}",
        ),
    )
)
"""How wishes are put, and how they are told; the first that matches."""
_SELECTING = re.compile(
    r"^(?:only|just|first) (?:ones?|those|the|an?|in|on|with|from|for|if|my|our|\d)", re.IGNORECASE
)
_DETERMINERS = frozenset({"it", "this", "that"})
_ABOUT_A_THING = re.compile(
    r"^it's\b|^(?:it|this|that|they)(?:'s|'ll)? (?:should|must|has|have|needs?|does|do|can|cannot"
    r"|may"
    r"|is|are|at|on|in|for|from)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*(?:[-*•+]\s|#{1,6}\s|(?:\*\*)?\d{1,2}[.)])|.*:\s*$")
"""A line of a list, or one that leads to it: what is planned becomes tasks, not progress."""
_OWN = re.compile(r"^(?:my|our)\s+(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
_ABOUT_ONESELF = re.compile(
    r"^I(?P<short>'m|'ve|'d|'ll)?(?: (?P<verb>[a-z']+))?(?: (?P<rest>.*))?$", re.DOTALL
)
_SHORT = {"'m": "is", "'ve": "has", "'d": "would", "'ll": "will"}
_UNCHANGED_WORDS = (
    "can could may might must shall should will would was had did also just already still never "
    "always meant said lost left bought got took made paid forgot saw found put told wrote sent "
    "ran came went thought knew met kept felt read set cut let hit gave became began chose spent "
    "only really usually mostly often"
)
_SAME_IN_THIRD_PERSON = frozenset(_UNCHANGED_WORDS.split())
_IRREGULAR = {"am": "is", "have": "has", "don't": "does not", "do": "does", "go": "goes"}
_LOWERED_WORDS = (
    "for at in on to from by around about near with without before after until between one two "
    "three four five six seven eight nine ten some something any anything the a an just only"
)
_LOWERED = frozenset(_LOWERED_WORDS.split())
_HAS_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|do|does|did|can|could|will|would|should|must|may"
    r"|isn't|aren't|doesn't|don't|didn't|won't|can't|\w+(?:ed|es)|\w{3,}s)\b|'s\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^(?:the|a|an|this|that|these|those|it|they|he|she|we|there|everything|nothing|some|all|both"
    r"|most|each|every|our|your|his|her|its|their|you)\b",
    re.IGNORECASE,
)


def description(text: str) -> str:
    """Name a task by the request that opened it."""
    request = cues.request_in(text) or _longest(text)
    rest = cues.content(request) or request
    named = _POLITENESS.sub("", rest, count=1).strip() or rest
    return _capital(_short(_without_tail(named.rstrip("?!.: ")) or named))


def is_named_by(described: str, sentence: str) -> bool:
    """A task's description begins with the name that a sentence would give it."""
    begins = described.casefold()
    # To see that it has not even the first letters costs much less than to name it.
    if begins[:2] not in _one_line(sentence).casefold():
        return False
    return begins.startswith(description(sentence).casefold())


def changed(named: str, request: str) -> str:
    """Name a task anew that is the same but for what a request changes."""
    change = _LEAD.sub("", _POLITENESS.sub("", cues.content(request) or request, count=1))
    kept, _, _ = named.partition(" (then: ")
    return _short(f"{kept} (then: {_lower(change.strip().rstrip('?!. '))})")


def offered(offer: str, text: str) -> str:
    """Name a task by what the agent offered, with what the user added."""
    named = _capital(_short(re.sub(r"^(?:me )?to\b\s*", "", offer).rstrip("?!. ")))
    added = " ".join(cues.content(sentence) for sentence in language.sentences(text)).strip()
    return _short(f"{named}: {added.rstrip('?!. ')}" if added else named)


def named_after(call: ToolCall) -> str:
    """Name a task by the tool that was called for it."""
    return _capital(_short(f"{_spaced(call.name)}{_with_arguments(call)}"))


def preference(sentence: str) -> str:
    """Say in the third person what a sentence of the user wants or states; empty if nothing."""
    told = cues.content(sentence) or sentence
    cut = sentence[: len(sentence) - len(told)].strip().casefold()
    about = cut in _DETERMINERS or _ABOUT_A_THING.match(sentence)
    if about and not cues.is_small_talk(sentence):
        told = sentence
    rest = _without_tail(told.strip().rstrip(".!? "))
    rest = _LEAD.sub("", rest).strip()
    if found := _HENCEFORTH.match(rest):
        return _short(f"{preference(found['rest'])} {found['from'].casefold()}".strip())
    if not language.words(rest) or rest.endswith(":"):
        return ""
    return _short(_wish(rest) or _fact(rest))


def is_wish(preference: str) -> bool:
    """It says what the user wants, rather than what is the case."""
    return bool(re.match(r"user (?:wants|expects|prefers|needs|does not want)\b", preference))


def _wish(said: str) -> str:
    """What the agent is to do or to leave, or how things are to be."""
    if found := _WANTING.match(said):
        verb = found["verb"].casefold()
        return f"user {_WANTS.get(verb, verb + 's')} {_third_person(found['rest'])}"
    for pattern, told in _WISHES:
        if found := pattern.fullmatch(_lower(said)):
            parts = {name: _third_person(part) for name, part in found.groupdict().items()}
            return told.format(**parts)
    if _SELECTING.match(said):
        return f"user wants {_third_person(_lower(said))}"
    if cues.is_command(said):
        named = _POLITENESS.sub("", said, count=1).strip() or said
        if re.match(r"(?!bring|sing|ping|string)\w+ing\b", named, re.IGNORECASE):
            return f"user wants help with {_third_person(_lower(named))}"
        return f"user wants the agent to {_third_person(_lower(named))}"
    if cues.is_request(said) and said.split(" ", 1)[0].casefold() not in _DETERMINERS:
        return f"user wants {_third_person(_lower(_POLITENESS.sub('', said, count=1)))}"
    return ""


def _fact(said: str) -> str:
    """What the task needs to know."""
    if found := _OWN.match(said):
        return f"user's {_third_person(found['rest'])}"
    if (found := _ABOUT_ONESELF.match(said)) and (found["short"] or found["verb"]):
        verb = _SHORT.get(found["short"] or "", "")
        told = " ".join(filter(None, (found["verb"], found["rest"])))
        if not verb:
            verb, told = _inflected(found["verb"]), found["rest"] or ""
        return f"user {verb} {_third_person(told)}".rstrip()
    if re.search(r"\b(?:I|[Ww]e)\b", said) or (_SUBJECT.match(said) and _HAS_VERB.search(said)):
        return f"user says that {_third_person(_lower(said))}"
    first = said.split(" ", 1)[0]
    return f"user specifies {_third_person(_lower(said) if first.casefold() in _LOWERED else said)}"


def _inflected(verb: str) -> str:
    if verb in _SAME_IN_THIRD_PERSON or verb.endswith("ed"):
        return verb
    return _IRREGULAR.get(verb) or f"{verb}s"


def _lower(text: str) -> str:
    """Let a sentence begin in lower case, unless its first word is a name or an abbreviation."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if first[1:].islower() or len(first) == 1 else text


def with_referent(named: str, referent: str) -> str:
    """Add to a name that only points ("book it") what it points at."""
    return f"{named} ({_short(referent, 160)})" if referent else named


def read_back(text: str) -> str:
    """Tell what the agent asked the user to confirm."""
    return _short(f"I asked the user to confirm: {_first_person(_one_line(text))}", 2 * _LONGEST)


def announced(text: str) -> str:
    """Tell what the agent says it is doing."""
    told = "\n".join(line for line in text.splitlines() if not _LISTED.match(line))
    return _short(_first_person(_one_line(told or text)))


def called(call: ToolCall, known: frozenset[str]) -> str:
    """Tell of a tool that was called without a word, if its arguments tell something.

    Which files an agent opens and which commands it runs is no milestone, unless the user had
    named them; a URL always is one.
    """
    told = {
        key: value
        for key, value in _arguments(call).items()
        if key not in _BODIES and len(str(value)) <= _LONG_VALUE and _tells(_value(value), known)
    }
    return _short(f"I called {call.name} with {_listed(told)}") if told else ""


def _tells(value: str, known: frozenset[str]) -> bool:
    if re.search(r"https?://", value) or language.words(value) & known:
        return True
    return bool(language.words(value)) and not _TECHNICAL.search(value)


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
    for pattern, replacement in _PERSONS:
        text = pattern.sub(replacement, text)
    return _one_line(_AND_WANTING.sub(r"\1 \2s", text))


def _with_arguments(call: ToolCall) -> str:
    arguments = _arguments(call)
    return f" with {_listed(arguments)}" if arguments else ""


def _arguments(call: ToolCall) -> dict[str, object]:
    try:
        arguments: object = orjson.loads(call.arguments or "{}")
    except ValueError:
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _listed(arguments: dict[str, object]) -> str:
    return ", ".join(f"{_spaced(str(key))} {_value(value)}" for key, value in arguments.items())


def _value(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 80 else text[:79] + "…"


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip().casefold()


def _longest(text: str) -> str:
    return (
        max((cues.content(part) for part in language.sentences(text)), key=len, default="") or text
    )


def _without_tail(text: str) -> str:
    found = _TAIL.search(text, max(len(text) - _LONGEST_TAIL, 0))
    return text[: found.start()] if found else text


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(text: str, longest: int = _LONGEST) -> str:
    line = _one_line(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _middle_cut(text: str) -> str:
    return text if len(text) <= 180 else text[:80] + " … " + text[-90:]
