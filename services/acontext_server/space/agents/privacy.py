"""What must never stand in a skill: ids, addresses, numbers and secrets of one person's run."""

import re
from collections.abc import Collection, Iterator, Mapping

from acontext_server.space.agents.payload import leaves, parsed
from acontext_server.space.domain.experience import Call, Experience, Result
from acontext_server.space.domain.text import words

EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
PHONE = r"(?<![\w.])\+?\(?\d[\d\s().-]{5,}\d(?!\w)"
SECRET = r"\b(?:sk|pk|rk|gh[a-z]|github_pat|xox[a-z]|AKIA|eyJ)[-_]?[\w-]{8,}(?:\.[\w-]+)*"
DIGITS = r"#?\b(?:\w*\d){4,}\w*\b"
CODE = r"\b(?=[A-Z0-9]*[A-Z])(?=[A-Z0-9]*\d)[A-Z0-9]{5,}\b"
NUMBERED_NAME = r"\b[A-Za-z][A-Za-z.]*(?:[_-][A-Za-z]+)*[_-]\d\w*\b"
LONG = r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{20,}\b"
NAMED_CODE = (
    r"(?i:\b(?:reservation|order|booking|confirmation|account|ticket|invoice|tracking|customer"
    r"|passport|member(?:ship)?|user|case|reference)\b)(?i:\s+(?:id|number|no\.?|code|name))?"
    r"(?i:\s+is)?[\s:#]+\*{0,2}([A-Z0-9]{4,}|[a-z]+[._][a-z._]+)\b"
)
PASSWORD = r"(?i:\b(?:password|passphrase|api key|token|secret|pin)\b\s*(?:is|:|=)\s*)\S+"
PERSONAL = re.compile("|".join((EMAIL, SECRET, PASSWORD, PHONE, CODE, NUMBERED_NAME, LONG, DIGITS)))

ID_KEY = re.compile(
    r"(?:^|_)(?:ids?|uuid|guid|code|number|no|ref|reference|key|token|secret|password|pin|email"
    r"|mail|phone|mobile|fax|account|card|confirmation|order|reservation|booking|user|username"
    r"|login|passport|ssn|iban|address|address\d|street|zip|postcode|postal|dob|birthday"
    r"|birth|first_name|last_name|full_name|surname|passenger|passengers|contact)(?:$|_|s$)",
)
SHORTEST_ID = 3


def names_of_this_run(experience: Experience) -> frozenset[str]:
    """Collect the values that identify somebody or something in this one run, case-folded."""
    return frozenset(value.casefold() for value in _identifying(experience))


def _identifying(experience: Experience) -> Iterator[str]:
    for turn in experience.turns:
        yield from (match.group(1) for match in re.finditer(NAMED_CODE, turn.text))
        for part in turn.parts:
            if isinstance(part, Call):
                yield from _under_id_keys(part.arguments)
            elif isinstance(part, Result):
                yield from _under_id_keys(parsed(part.text))


def _under_id_keys(payload: object) -> Iterator[str]:
    for path, value in leaves(payload):
        text = str(value).strip()
        if len(text) >= SHORTEST_ID and any(_is_id_key(key) for key in path):
            yield text


def _is_id_key(key: str) -> bool:
    return bool(ID_KEY.search("_".join(words(key)).casefold()))


def is_personal(text: str, known: Collection[str]) -> bool:
    """Say whether a text gives away anything of this run."""
    return bool(PERSONAL.search(text)) or any(_stands_in(name, text) for name in known)


def redact(text: str, known: Collection[str], labels: Mapping[str, str] | None = None) -> str:
    """Take what is personal out of a text; what has a label is replaced by that."""
    for name in sorted(known, key=len, reverse=True):
        if _stands_in(name, text):
            text = re.sub(_whole(name), (labels or {}).get(name, ""), text, flags=re.IGNORECASE)
    return tidy(PERSONAL.sub("", text))


def tidy(text: str) -> str:
    """Mend what taking words out has left: doubled spaces, empty brackets, lone prepositions."""
    text = re.sub(r"[(\[\"'`]\s*[)\]\"'`]", "", text)
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"\s+", " ", text))
    return DANGLING.sub("", text).strip(" ,;:-")


DANGLING = re.compile(
    r"(?:[\s,]+(?:on|at|in|to|for|from|by|of|with|is|till|until|around|and|or|the|a|an|#|id"
    r"|under|called|named|as|via))+(?=[\s]*(?:[.,;:!?]|$))",
    re.IGNORECASE,
)


def _stands_in(name: str, text: str) -> bool:
    return name in text.casefold() and bool(re.search(_whole(name), text, re.IGNORECASE))


def _whole(name: str) -> str:
    return rf"(?<!\w){re.escape(name)}(?!\w)"
