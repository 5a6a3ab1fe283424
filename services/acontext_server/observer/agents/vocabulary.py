"""Verbs that people ask an agent with, and patterns looked for in any case."""

import re

_IN_WORD = re.compile(r"\w")


class Cue:
    """A pattern in lower case, looked for in any case.

    A text in lower case is searched in half the time that it takes to ignore case. `words` are
    alternatives that count at the edge of a word only: said apart they are found in a third of the
    time, since a search skips what cannot be their first letter, but no place where an edge may be.
    """

    def __init__(self, pattern: str = "", *, words: str = "") -> None:
        at_words = rf"\b(?:{words})" if words else ""
        self.pattern = "|".join(filter(None, (at_words, pattern)))
        self._words = re.compile(words) if words else None
        self._anywhere = re.compile(pattern) if pattern else None

    def is_in(self, text: str) -> bool:
        """Look for it."""
        lower = text.lower()
        return bool(self._words and _begins_word(self._words, lower)) or bool(
            self._anywhere and self._anywhere.search(lower)
        )


def _begins_word(words: re.Pattern[str], text: str) -> bool:
    found = words.search(text)
    while found and (start := found.start()) and _IN_WORD.match(text, start - 1):
        found = words.search(text, start + 1)
    return bool(found)


LOOK = (
    "find search look show list check see browse display tell recommend suggest explore research "
    "compare locate discover read review analyze analyse investigate explain summarize summarise "
    "identify query fetch"
)
ACT = (
    "get make book reserve order buy purchase rent schedule arrange cancel change modify update "
    "send transfer pay play start stop open close call create write draft build design develop "
    "implement code fix debug repair deploy publish release install configure setup set run test "
    "execute refactor add remove delete move copy rename merge upload download save store post "
    "star fork clone commit push pull translate convert generate prepare plan sort clean format "
    "calculate compute measure collect gather extract import export register subscribe sign join "
    "apply submit upgrade downgrade migrate return exchange refund hire invite remind turn put "
    "switch connect give help use try pick choose select provide init initialize scrape crawl "
    "train evaluate document rewrite restart reboot notify email message ping report record track "
    "monitor assign approve reject archive restore reset resize enable disable increase reduce "
    "optimize optimise improve lint benchmark profile inspect validate reply respond forward print "
    "draw sketch paint cook brainstorm outline edit proofread resolve tidy split group filter rank "
    "label tag classify count estimate forecast predict aggregate reproduce patch mount unpack "
    "reschedule postpone compile crop shorten extend simplify integrate introduce port wrap mock "
    "containerize containerise escalate propose rephrase reword "
    "visualize visualise plot render wire hook expose replace undo revert roll rotate bump pin"
)
_AMBIGUOUS_WORDS = (
    "get help give do use try plan star fork set run test sort format code design document "
    "clean turn open close start stop return exchange order call change put pick choose measure "
    "train store post email message ping report record track edit profile split group filter rank "
    "label tag count estimate forecast print plot wire hook roll pin patch mount outline reply"
)
AMBIGUOUS = frozenset(_AMBIGUOUS_WORDS.split())
"""Verbs that are nouns or small talk as often, so that they say nothing in mid-sentence."""
VERBS = "|".join((LOOK + " " + ACT).split())
