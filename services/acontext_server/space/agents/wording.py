"""Wording a lesson so that it fits the next run: no value of this one stays."""

import re
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import urlsplit

from acontext_server.space.agents.calls import Attempt, is_code
from acontext_server.space.agents.payload import Leaf, leaves, parsed
from acontext_server.space.agents.privacy import is_personal, redact, tidy
from acontext_server.space.agents.quantities import without_quantities
from acontext_server.space.domain.experience import Experience
from acontext_server.space.domain.skills import Step
from acontext_server.space.domain.text import content_words, humanise, listed, sentences, words

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
    r"|(?:i|we|the user|user)(?:'m|’m| am| is|'s| was| were|'ve been| have been)?"
    r"(?: really| just| also| still)? (?:want(?:s|ed)?|wanna|feel like|need(?:s|ed)?|wish(?:es)?"
    r"|looking|trying|hoping|planning|interested|going|expects?|searching)"
    r"(?: to| you to| in| for| forward to)?|moving on)\b"
    r")[\s,.!:]*",
    re.IGNORECASE,
)
LINKED = re.compile(
    r"(?P<led>\b(?:on|at|from|in|into|to|of|via|with|open|visit|goto) )?"
    r"https?://(?:www\.)?(?P<host>[\w.-]+\w)(?::\d+)?(?P<path>/[^\s,;)]+)?/?",
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
STATEMENT = re.compile(r"(?:[\w'’-]+ ){1,4}(?:is|are|was|were)\b", re.IGNORECASE)
"""What tells something rather than asks for it."""
OF_A_NAME = re.compile(
    r"\s+(?:with|under|by) (?:the )?(?:code|id|number|reference)\b(?: the \w+)?", re.IGNORECASE
)
NAMED_FILE = re.compile(r"(?:.*/)?(?P<stem>\w[\w-]*)\.\w{1,5}")
PARAMETERS = {"to": "recipient", "from": "sender", "q": "query", "cmd": "command"}
MOSTLY = 0.6
LONGEST_CODE = 100
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
    (r"\b(wants|expects|asks|needs) you to\b", r"\1 the agent to"),
    (r"\b(?:I|we|me|us)\b", "the user"),
)


def use_when(experience: Experience, path: Sequence[Attempt], personal: Collection[str]) -> str:
    """Say what the task is for, in the user's words without the values of this run.

    The tool that did the work is named behind them when they do not mention it.
    """
    work = _work(path)
    told = _first_request(_without_asides(experience.description, always=bool(work)))
    told = _impersonal(_shortened(generalised(told, path, personal)))
    states = work and STATEMENT.match(told)
    named = work and told.casefold().startswith(f"{work} with ")
    if states or named or (work and not _says_more(told, work, path)):
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
    text = _without_named_files(_without_places(_without_named_values(text, path)), path)
    labels = dict(_labelled(path))
    opened = _in_paths(path)
    text = re.sub(r"[\w-]+", lambda word: "" if word[0] in opened else word[0], text)
    for name in sorted(labels, key=len, reverse=True):
        # A lone word in lower case is rarely the name that the tool was given.
        anyhow = re.IGNORECASE if " " in name else re.NOFLAG
        label = f"the {re.sub('^(?:to|from) ', '', labels[name])}"
        named = rf"(?<!\w){re.escape(name)}(?:, [A-Z]{{2}})?(?!\w)"
        text = re.sub(named, label, text, flags=anyhow)
    text = OF_A_NAME.sub("", without_quantities(redact(text, personal)))
    text = re.sub(r"\b(\w+),? the \1\b", r"\1", text)
    return tidy(re.sub(r"\b(?:a|an|the|my|your) (?=the\b)", "", text))


def _without_places(text: str) -> str:
    """Leave out where this run took place: what a URL leads to, a repository, a path, a title."""
    text = LINKED.sub(_place, text)
    text = FILE_PATH.sub("the file", text)
    text = QUOTED.sub("", text)
    return SLUG.sub(lambda slug: slug["named"] or "", text)


def _place(link: re.Match[str]) -> str:
    """Of a link the site is a condition; what was opened there is the value of one run."""
    page = "a page on " if link["path"] and not link["led"] else ""
    return f"{link['led'] or ''}{page}{link['host']}"


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


def _without_named_files(text: str, path: Sequence[Attempt]) -> str:
    """What a file of this run is called after is the value of this run, too: `lisbon.md`."""
    for attempt in path:
        for _, value in leaves(attempt.call.arguments):
            if isinstance(value, str) and (file := NAMED_FILE.fullmatch(value)):
                name = re.escape(" ".join(words(file["stem"])).title())
                led = r"\s+(?:about|around|for|from|in|near|of|on|to)"
                text = re.sub(rf"{led} {name}(?!\w)", "", text)
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

    def __init__(
        self, experience: Experience, personal: Collection[str], *, conditions: str
    ) -> None:
        said = (turn.text for turn in experience.said_by("user"))
        self._text = " ".join((*said, *experience.earlier)).casefold()
        self._said = frozenset(content_words(self._text))
        self._given = self._said - frozenset(content_words(conditions))
        self._personal = personal

    def write(self, attempt: Attempt, before: Sequence[Attempt]) -> Step:
        """Word one step of the path, after those before it."""
        name, arguments = attempt.call.name, attempt.call.arguments
        keys_by_source: dict[str, list[str]] = {}
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            source = self._code(value) if is_code(key) else self._source(value, before)
            read = humanise(key)
            keys_by_source.setdefault(source, []).append(PARAMETERS.get(read, read))
        action = _action(humanise(name) or name, keys_by_source)
        if is_personal(action, self._personal):
            action = redact(action, self._personal)
        return Step(name, action or name)

    def _source(self, value: object, before: Sequence[Attempt]) -> str:
        given = [leaf for _, leaf in leaves(value) if not isinstance(leaf, bool)]
        if any(self._was_named(leaf) for leaf in given):
            return "the user gave"
        tools = (one.call.name for one in before if any(_answered(leaf, one) for leaf in given))
        if tool := next(tools, ""):
            return f"from {tool}"
        if self._is_constant(value):
            return f"`{value}`"
        return "the user gave" if any(self._was_said(leaf) for leaf in given) else ""

    def _code(self, value: object) -> str:
        """Keep what any run needs to say, without what only this user named."""
        if not isinstance(value, str) or len(value) > LONGEST_CODE or "\n" in value:
            return ""
        if value.casefold() in self._text:
            return "the user gave"
        kept = re.sub(r"\w[\w@./:-]*", self._unnamed, value)
        return "" if "`" in kept or is_personal(kept, self._personal) else f"`{kept}`"

    def _unnamed(self, word: re.Match[str]) -> str:
        return "…" if set(content_words(word[0])) & self._given else word[0]

    def _was_named(self, leaf: Leaf) -> bool:
        """The user said this very value."""
        return bool(re.search(rf"(?<!\w){re.escape(str(leaf).casefold())}(?!\w)", self._text))

    def _was_said(self, leaf: Leaf) -> bool:
        """The user said most of it in other words."""
        told = set(content_words(str(leaf)))
        return bool(told) and len(told & self._said) >= MOSTLY * len(told)

    def _is_constant(self, value: object) -> bool:
        """What any run needs looks like a place in a system, and has no number in it.

        A file or host that is called after what only this user named is none.
        """
        return (
            isinstance(value, str)
            and bool(re.fullmatch(r"[a-z][a-z_./:-]{,40}[./_:][a-z_./:-]{,40}", value))
            and not ("." in value and self._given & set(content_words(value)))
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
