"""How people write: sentences and words, and what is in a message that nobody says."""

import re
from functools import lru_cache

_STOP_WORDS = (
    "a an the i you me my your we our us it its it's is are was be to for of in on at and or "
    "with from by this that there here please can could would will want need like find get help "
    "some any have has do does so i'd i'm i'll 'd 'm also now then just one ok okay yes no "
    "thanks thank looking search"
)
_STOP = frozenset(_STOP_WORDS.split())
_LONGEST = 600
"""Characters of a sentence that are looked at."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[a-z][.!?])(?=[A-Z][a-z' ])|\n+")
_NO_TALK = re.compile(
    r"```.*?(?:```|\Z)"
    r"|^[ \t]*(?:>|\$ |at \S+\(|File \"|Traceback \(|[\w.]*(?:Error|Exception): "
    r"|\[?\d{4}-\d\d-\d\d[T ]|\[\d+[:\]]|\[?(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL)\b)"
    r"[^\n]*(?:\n[ \t]{2,}[^\n]*)*",
    re.DOTALL | re.MULTILINE,
)
"""Fenced code, quoted lines, logs and stack traces."""
_OPENING_TAG = re.compile(r"<(?P<name>[a-z][\w:-]*)(?:\s[^<>]*)?>")
_VALUE = (
    r"(?=[^\s,;]{0,200}[a-z])(?=[^\s,;]{0,200}\d)(?!\S{0,200}(?:://|==|\.[a-z]{2,4}\b))"
    r"[^\s,;'\"]{6,}"
)
"""Letters and digits in one piece, that are no URL, version or file."""
_SECRETS = (
    # By how keys of well-known services begin.
    r"\b(?:(?:sk|pk|rk|gh[a-z]|glpat|hf|npm|xox[a-z])[-_]|github_pat_|AKIA|AIza|eyJ)[\w-]{10,}(?:\.[\w-]+)*",
    # By what stands before them: a scheme, a user of a URL, the head of a key's block.
    r"(?<=\bBearer )[\w.~+/=-]{8,}",
    r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)",
    r"-----BEGIN [\s\S]*?(?:-----END [A-Z ]+-----|\Z)",
    # Numbers of cards and accounts.
    r"(?<![\w.-])(?:\d{4}[ -]?){3}\d{1,7}(?![\w.-])",
    # By their name, whatever they look like.
    r"(?P<kept>\b(?:password|passphrase|passcode|api[ _-]?key|access[ _-]?token"
    r"|secret(?:[ _-]key)?|pin)(?:\s+(?:is|was|to)|\s*[:=])\s*)(?!be\b)[^\s,;]+",
    # By a name that means nothing else, some words before; by one that may mean more, right before.
    r"(?P<named>\b(?:pw|pwd|passwd|password|passphrase|credentials?|creds)\b"
    rf"(?:[\s:=]{{1,8}}[a-z]+){{0,3}}?[\s:=/]{{1,8}}){_VALUE}",
    r"(?P<told>\b(?:pass|pin|key|token|secret)(?:\s+(?:is|was|should be)|\s*[:=])\s*)"
    rf"{_VALUE}",
    # By their looks.
    r"(?<![\w/.@-])(?-i:(?=[\w-]{0,200}[a-z])(?=[\w-]{0,200}[A-Z]))(?=(?:[\w-]{0,60}\d){4})"
    r"[\w-]{20,}(?![\w/.@-])",
)
_SECRET = re.compile("|".join(_SECRETS), re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][\w:-]*(?:\s[^<>]*)?>")
_SPELLED = {"u": "you", "ur": "your", "pls": "please", "plz": "please"}
_CHAT = re.compile(r"\b(?:u|ur|pls|plz)\b")
_MARKER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s*")
_ENDING = re.compile(r"(?:ing|ed|es|s|e)$")
_SHORT_WORD = 4
_WORD = re.compile(r"[a-z0-9][a-z0-9'_.-]*[a-z0-9]|[a-z0-9]", re.IGNORECASE)
read_once = lru_cache(maxsize=1024)
"""Rule after rule asks the same of the same few sentences."""


def talk(text: str) -> str:
    """Leave out what nobody says: code, quotes, logs; unless there is nothing else."""
    said = _NO_TALK.sub(" ", _without_tagged(text)).strip()
    said = said or _TAG.sub(" ", text).strip() or text
    return _CHAT.sub(lambda word: _SPELLED[word[0]], said).replace("’", "'")


def _without_tagged(text: str) -> str:
    """Leave out what programs put between tags; a backreference would take quadratic time."""
    kept, read = [], 0
    for tag in _OPENING_TAG.finditer(text):
        closing = f"</{tag['name']}>"
        end = text.find(closing, tag.end()) if tag.start() >= read else -1
        if end >= 0:
            kept.append(text[read : tag.start()])
            read = end + len(closing)
    return " ".join([*kept, text[read:]])


def without_secrets(text: str) -> str:
    """Mask keys, tokens, passwords and card numbers: tasks are read by many."""
    return _SECRET.sub(_masked, text)


def _masked(secret: re.Match[str]) -> str:
    return f"{secret['kept'] or secret['named'] or secret['told'] or ''}•••"


def shortened(text: str) -> str:
    """Leave out the middle of a long text: what matters for its kind is said first or last."""
    return text if len(text) <= 6000 else f"{text[:4000]}\n{text[-2000:]}"


@read_once
def sentences(text: str) -> tuple[str, ...]:
    """Cut a text into sentences and lines."""
    plain = "\n".join(_MARKER.sub("", line) for line in text.splitlines())
    parts = (part.strip() for part in _SENTENCE.split(plain) if part)
    return tuple(part[:_LONGEST] for part in parts if part)


@read_once
def words(text: str) -> frozenset[str]:
    """The words that carry meaning, lower case; snake_case and camelCase names are taken apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return frozenset(word.casefold() for word in _WORD.findall(apart)) - _STOP


def has_word(text: str) -> bool:
    """It has more than signs in it."""
    return bool(_WORD.search(text))


@read_once
def stems(text: str) -> frozenset[str]:
    """The words as above, blind to how a verb or a noun is inflected."""
    return frozenset(
        _ENDING.sub("", word) if len(word) > _SHORT_WORD else word for word in words(text)
    )


def has_code(text: str) -> bool:
    """It has fenced code in it."""
    return "```" in text


def tells_of_doing(text: str, step: str) -> bool:
    """A sentence begins with the verb of a step in the past tense, and shares a word besides."""
    wanted = step.casefold().split(" ", 1)[0].rstrip("e")
    return any(
        sentence.casefold().startswith(f"{wanted}ed ") and len(stems(sentence) & stems(step)) > 1
        for sentence in sentences(text)
    )
