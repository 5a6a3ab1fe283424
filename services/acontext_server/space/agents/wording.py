"""Wording a lesson so that it fits the next run: no value of this one stays."""

import re
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from acontext_server.space.agents.calls import Attempt
from acontext_server.space.agents.payload import Leaf, leaves, parsed
from acontext_server.space.agents.privacy import is_personal, redact, tidy
from acontext_server.space.agents.quantities import without_quantities
from acontext_server.space.domain.experience import Experience
from acontext_server.space.domain.skills import Step
from acontext_server.space.domain.text import content_words, humanise, listed, sentences

MAX_WORDS = 24
TELLING_WORDS = 2
"""`click` says nothing of the work, `reserve restaurant` all."""

LEAD_IN = re.compile(
    r"^\W*(?:"
    r"(?:hi|hey|hello|greetings|good (?:morning|afternoon|evening|day)|there|ok(?:ay)?|so|well"
    r"|yes|yeah|sure|great|thanks|thank you|also|and|now|then|please|actually|alright|kindly"
    r"|maybe|perhaps|could|can|would|will|you|help me(?: to| with| out)?|assist(?: me)?(?: in)?"
    r"|i have to|let's|let us|be able to|use when|when|the user (?:asks|asked)(?: to)?"
    r"|i(?:'d|’d| would) (?:like|love)(?: to| you to)?"
    r"|(?:i|we|the user|user)(?:'m|’m| am| is|'s)?(?: really| just| also| still)?"
    r" (?:want(?:s|ed)?|wanna|feel like|need(?:s|ed)?|wish(?:es)?|looking|trying|hoping|planning"
    r"|interested|going|expects?|searching)(?: to| you to| in| for| forward to)?)\b"
    r")[\s,.!:]*",
    re.IGNORECASE,
)
URL = re.compile(r"https?://(?:www\.)?(?P<host>[\w.-]+\w)(?::\d+)?(?:/[^\s,;)]*)?")
FILE_PATH = re.compile(
    r"(?<![\w/])(?:the file )?[`'\"]?(?:~|\.{1,2})?/?(?:[\w.-]+/)+[\w-]+\.\w{1,5}\b[`'\"]?"
)
QUOTED = re.compile(
    r"\s*\b(?:named|called|titled|entitled)?\s*(?:\"[^\"]{2,80}\"|“[^”]{2,80}”|`[^`]{2,80}`)"
)
SLUG = re.compile(
    r"(?P<named>\b(?:repo|repository|project|package|image|fork|organi[sz]ation|branch)\b)\s+"
    r"[`'\"]?[\w.-]+/[\w./-]*\w[`'\"]?|(?<![\w/.-])(?=[\w.]*[-_\d]|[\w.]+/[\w.]*[-_\d])"
    r"\w[\w.-]+/\w[\w.-]+(?![\w/])",
    re.IGNORECASE,
)
"""`owner/name`; a lone `and/or` or `input/output` is none."""
POINTING = re.compile(r"\b(?:it|that|this|one|them|these|those)\b", re.IGNORECASE)
SMALL_TALK = frozenset(
    {"sounds", "good", "great", "perfect", "fine", "nice", "okay", "awesome", "seems", "works"}
)
LOOKING_UP = re.compile(
    r"^(?:get|list|search|find|fetch|read|look|check|query|calculate|compute|think|show|count"
    r"|describe|transfer to)\b"
)
IMPERSONAL = (
    (r",? ?\bplease\b", ""),
    (r" (?:for )?(?:me|us)\b(?=$|[,.!?]| (?:a|an|the|some|any|something|in|at|on|with)\b)", ""),
    (r"\b(?:my|our)\b", "the user's"),
    (r"\b(?:I|we)(?:'m|’m| am|'re|’re| are)\b", "the user is"),
    (r"\b(?:I|we)(?:'d|’d)\b", "the user would"),
    (r"\b(?:I|we)(?:'ll|’ll)\b", "the user will"),
    (r"\b(?:I|we)(?:'ve|’ve| have)\b", "the user has"),
    (r"\b(?:I|we) (need|want|like|love|prefer|expect|wish|ask)\b", r"the user \1s"),
    (r"\b(?:I|we|me|us)\b", "the user"),
)


def use_when(experience: Experience, path: Sequence[Attempt], personal: Collection[str]) -> str:
    """Say what the task is for, in the user's words without the values of this run.

    The tool that did the work is named behind them when they do not mention it.
    """
    work = _work(path)
    told = _first_request(_without_asides(experience.description, always=bool(work)))
    told = _impersonal(_shortened(generalised(told, path, personal)))
    if work and (told.casefold().startswith(f"{work} with ") or not _says_more(told, work, path)):
        return work
    if work and set(content_words(work)) - set(content_words(told)):
        return f"{told} ({work})" if told else work
    return told or " and ".join(dict.fromkeys(humanise(one.call.name) for one in path))


def _says_more(told: str, work: str, path: Sequence[Attempt]) -> bool:
    """`Book it` and `seats` say no more than the tool that did it; `Check the weather` does."""
    given = {humanise(keys[-1]) for one in path for keys, _ in leaves(one.call.arguments) if keys}
    for name in sorted(given, key=len, reverse=True):
        told = re.sub(rf"\bthe {re.escape(name)}\b", "", told)
    said, done = set(content_words(told)), set(content_words(work))
    own = said - done
    return len(own) >= TELLING_WORDS or bool(own and said & done and not POINTING.search(told))


def generalised(text: str, path: Sequence[Attempt], personal: Collection[str]) -> str:
    """Replace what this run was about by what any run is about."""
    text = _without_places(_without_named_values(text, path))
    labels = dict(_labelled(path))
    opened = _in_paths(path)
    text = re.sub(r"[\w-]+", lambda word: "" if word[0] in opened else word[0], text)
    for name in sorted(labels, key=len, reverse=True):
        # A lone word in lower case is rarely the name that the tool was given.
        anyhow = re.IGNORECASE if " " in name else re.NOFLAG
        label = f"the {labels[name]}"
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", label, text, flags=anyhow)
    text = without_quantities(redact(text, personal))
    return tidy(re.sub(r"\b(?:a|an|the|my|your) (?=the\b)", "", text))


def _without_places(text: str) -> str:
    """Leave out where this run took place: what a URL leads to, a repository, a path, a title."""
    text = URL.sub(lambda url: url["host"], text)
    text = FILE_PATH.sub("the file", text)
    text = QUOTED.sub("", text)
    return SLUG.sub(lambda slug: slug["named"] or "", text)


def _in_paths(path: Sequence[Attempt]) -> frozenset[str]:
    """Collect what URLs lead to: the site is a condition of the task, what was opened there not."""
    urls = (
        urlsplit(value).path
        for attempt in path
        for _, value in leaves(attempt.call.arguments)
        if isinstance(value, str) and re.match(r"https?://\S+$", value)
    )
    return frozenset(part for url in urls for part in url.split("/") if part)


def _without_named_values(text: str, path: Sequence[Attempt]) -> str:
    """Where a parameter's own name stands before its value, the name alone says it: `repo x`."""
    for attempt in path:
        for keys, value in leaves(attempt.call.arguments):
            name = re.escape(humanise(keys[-1])) if keys else ""
            if name and isinstance(value, str):
                named = rf"\b({name}) (?:named |called )?[`'\"]?{re.escape(value)}(?!\w)[`'\"]?"
                text = re.sub(named, r"\1", text, flags=re.IGNORECASE)
    return text


def _labelled(path: Sequence[Attempt]) -> Iterator[tuple[str, str]]:
    """Go through the names among the arguments, with the words that say what they name."""
    for attempt in path:
        for keys, value in leaves(attempt.call.arguments):
            if keys and isinstance(value, str) and _is_name(value):
                yield from ((spelling, humanise(keys[-1])) for spelling in _spellings(value))


def _is_name(value: str) -> bool:
    """Lower-case words are more often what the tool is about than what the user gave."""
    numbered = value[:1].isdigit() and any(word[0].isupper() for word in value.split())
    return 3 <= len(value) <= 80 and (value[:1].isupper() or numbered)


def _spellings(value: str) -> set[str]:
    """Users shorten names: `Sacramento, CA` and `New York City` are also said in part."""
    head = re.split(r",|\(", value)[0].strip()
    parts = {part for part in head.split() if len(part) > 3 and part[0].isupper()}
    return {value, head, *parts, *_pieces(head.split())} - {""}


def _pieces(names: Sequence[str]) -> Iterator[str]:
    """`12 San Pablo Avenue` is also called San Pablo Avenue."""
    for start in range(len(names)):
        for end in range(start + 2, len(names) + 1):
            if all(name[0].isupper() for name in names[start:end]):
                yield " ".join(names[start:end])


def _without_asides(description: str, *, always: bool) -> str:
    """Leave out what stands in brackets, unless hardly anything else is said."""
    rest = tidy(re.sub(r"\([^()]*\)?", "", description))
    return rest if always or len(content_words(rest)) >= TELLING_WORDS else description


def _first_request(description: str) -> str:
    """Skip small talk: what is asked is in the first sentence that says something."""
    lines = [_without_lead_in(line) for line in sentences(description)]
    asking = (line for line in lines if len(set(content_words(line)) - SMALL_TALK) >= 2)
    return next(asking, " ".join(lines))


def _without_lead_in(line: str) -> str:
    while (rest := LEAD_IN.sub("", line)) != line:
        line = rest
    return line


def _impersonal(text: str) -> str:
    return tidy(in_third_person(text))


def in_third_person(text: str) -> str:
    """Speak of the user, as somebody who helps them would."""
    for pattern, other in IMPERSONAL:
        text = re.sub(pattern, other, text, flags=re.IGNORECASE)
    return text


def _shortened(text: str) -> str:
    return tidy(" ".join(text.split()[:MAX_WORDS])).rstrip(".!?")


def _work(path: Sequence[Attempt]) -> str:
    """Name the last tool that did something, rather than look something up, if that says what."""
    names = [humanise(attempt.call.name) for attempt in path]
    doing = [name for name in names if not LOOKING_UP.match(name)]
    work = (doing or names or [""])[-1]
    return work if len(content_words(work)) >= TELLING_WORDS else ""


class StepWriter:
    """Words steps: what the tool does, and where each of its arguments comes from."""

    def __init__(self, experience: Experience, personal: Collection[str]) -> None:
        said = (turn.text for turn in experience.said_by("user"))
        self._said = frozenset(content_words(" ".join((*said, *experience.earlier))))
        self._personal = personal

    def write(self, attempt: Attempt, before: Sequence[Attempt]) -> Step:
        """Word one step of the path, after those before it."""
        name, arguments = attempt.call.name, attempt.call.arguments
        keys_by_source: dict[str, list[str]] = {}
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            keys_by_source.setdefault(self._source(value, before), []).append(humanise(key))
        action = redact(_action(humanise(name) or name, keys_by_source), self._personal)
        return Step(name, action or name)

    def _source(self, value: object, before: Sequence[Attempt]) -> str:
        given = [leaf for _, leaf in leaves(value) if not isinstance(leaf, bool)]
        if any(self._was_said(leaf) for leaf in given):
            return "the user gave"
        tools = (one.call.name for one in before if any(_answered(leaf, one) for leaf in given))
        if tool := next(tools, ""):
            return f"from {tool}"
        return f"`{value}`" if self._is_constant(value) else ""

    def _was_said(self, leaf: Leaf) -> bool:
        return bool(self._said.intersection(content_words(str(leaf))))

    def _is_constant(self, value: object) -> bool:
        """What any run needs looks like a place in a system, and has no number in it."""
        return (
            isinstance(value, str)
            and bool(re.fullmatch(r"[a-z][a-z_./:-]{,40}[./_:][a-z_./:-]{,40}", value))
            and not is_personal(value, self._personal)
        )


def _action(name: str, keys_by_source: dict[str, list[str]]) -> str:
    told = [
        f"the {listed(dict.fromkeys(keys))} {source}" for source, keys in keys_by_source.items()
    ]
    return f"{name} with {listed(map(str.rstrip, told))}" if told else name


def _answered(leaf: Leaf, attempt: Attempt) -> bool:
    if attempt.result is None or len(str(leaf)) < 2:
        return False
    return any(str(leaf) == str(other) for _, other in leaves(parsed(attempt.result.text)))
