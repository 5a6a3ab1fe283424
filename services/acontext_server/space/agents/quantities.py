"""Dates, times, prices and counts as people say them: values of one run, never of the next."""

import re

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
BARE_MONTH = (
    r"(?:january|february|march|april|(?-i:May)|june|july|august|september|october|november"
    r"|december)"
)
"""Without a day beside it; short ones are names and words as often."""
DAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|today|tonight|tomorrow|yesterday)"
WHEN = re.compile(
    r"(?:\b(?:on|at|till|until|from|by|since|before|after|around|in|for|this|next|of|the)\s+)*"
    r"(?:\b(?:the )?(?:\d{1,2}(?:st|nd|rd|th)? ?[-–] ?)?"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}\b(?:,? \d{{4}})?"
    rf"|\b{MONTH}\.? (?:the )?\d{{1,2}}(?:st|nd|rd|th)?\b(?:,? \d{{4}})?"
    rf"|\b(?:for|in|of|since|until|by|during) {BARE_MONTH}\b(?: \d{{4}})?(?! ?(?-i:[A-Z]))"
    r"|\b(?:the )?\d{1,2}(?:st|nd|rd|th)\b"
    rf"|\b{DAY}\b|\b(?:this|next|last) (?:week(?:end)?|month|year)\b"
    r"|\b\d{1,2}[:.]\d{2}(?: ?[ap]\.?m\b\.?)?|\b\d{1,2} ?[ap]\.?m\b\.?|\b\d{4}-\d{2}-\d{2}\b"
    r"|\b(?:noon|midnight|(?:half|quarter) (?:past|to) \w+|\d{1,2} o'clock)\b"
    r"|\b(?:in the )?(?:morning|afternoon|evening)\b)",
    re.IGNORECASE,
)
MONEY = re.compile(
    r"(?:\b(?:for|at|under|over|of|to)\s+)?[$€£]\s?\d[\d,.]*"
    r"|\b\d[\d,.]* ?(?:dollars|bucks|euros|usd|eur)\b",
    re.IGNORECASE,
)
COUNTED = (
    r"(?:people|persons?|tickets?|nights?|days?|rooms?|bags?|adults?|passengers?|seats?|guests?)"
)
COUNT_IN_WORDS = re.compile(
    rf"\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b(?= {COUNTED}\b)", re.IGNORECASE
)
COUNT = re.compile(rf"\b\d+ {COUNTED}\b", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.-])\d+(?:[.,]\d+)*(?![\w-])")
LONGEST_VERSION = 2


def has_quantity(text: str) -> bool:
    """Say whether a text depends on a date, a time, a price or a number."""
    return without_quantities(text) != text


def counts(text: str) -> bool:
    """Say whether a text tells for how many something is, which no next run shares."""
    return bool(COUNT.search(text) or COUNT_IN_WORDS.search(text))


def without_quantities(text: str) -> str:
    """Take dates, times, prices and counts out; the number of a product stays (`Python 3`)."""
    for pattern in (WHEN, MONEY, COUNT_IN_WORDS):
        text = pattern.sub("", text)
    return NUMBER.sub(lambda number: number[0] if _is_version(number) else "", text)


def _is_version(number: re.Match[str]) -> bool:
    before = number.string[: number.start()].split()
    named = len(before) > 1 and any(char.isupper() for char in before[-1])
    return named and len(number[0]) <= LONGEST_VERSION
