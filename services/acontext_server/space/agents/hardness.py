"""How hard a task was, with the messages that show it."""

import re
from collections.abc import Iterator, Sequence

from acontext_server.space.agents.calls import Attempt
from acontext_server.space.domain.experience import Experience
from acontext_server.space.domain.skills import Difficulty, Reason

CORRECTION = re.compile(
    r"\b(?:that(?:'s| is|'s|’s) (?:not (?:right|correct|what)|wrong|incorrect)"
    r"|(?:not|isn't|wasn't) what i (?:asked|want|meant|said|need)"
    r"|i (?:said|meant|asked (?:you|for)|told you)\b|you (?:should have|misunderstood|were supposed"
    r"|got (?:it|that) wrong|made a mistake|forgot)|(?:you (?:are|were)|you're|you’re) wrong"
    r"|wrong (?:one|file|table|page|account|place|way|approach|city|date|tool|branch)"
    r"|(?:undo|revert|roll back) (?:that|this|it)|why did you|i didn't (?:ask|want|mean))",
    re.IGNORECASE,
)
BARE_NO = re.compile(
    r"^\W*(?:no|nope|wait|stop)\b[,.! ]+(?:use|not|stop|undo|you)\b"
    r"|^\W*(?:no|nope|wait|stop)\b[,.! ]+do(?:n't|n’t| not) "
    r"(?!really|fancy|like|think|need|want|have|know|mind|care)",
    re.IGNORECASE,
)
CHANGE_OF_PLAN = re.compile(
    r"\b(?:(?:let me|i(?:'ll| will|’ll)) try (?:another|a different|again|something else)"
    r"|(?:that|this|it) (?:didn't|did not|doesn't|does not) work|different approach"
    r"|my mistake|i (?:was wrong|made a mistake|misunderstood)|let me (?:start over|correct))",
    re.IGNORECASE,
)


def difficulty(
    experience: Experience, made: Sequence[Attempt], preferences: Sequence[str]
) -> Difficulty:
    """Weigh a task: each reason counts once, however often it occurred.

    `preferences` are the messages in which the user stated one that holds next time.
    """
    found = {
        Reason.TOOL_ERROR: tuple(_avoidable_errors(made)),
        Reason.WRONG_STRATEGY: tuple(_dead_ends(made)) + tuple(_changes_of_plan(experience)),
        Reason.USER_CORRECTION: tuple(_corrections(experience)),
        Reason.STATED_PREFERENCE: tuple(preferences),
    }
    return Difficulty({reason: where for reason, where in found.items() if where})


def _avoidable_errors(made: Sequence[Attempt]) -> Iterator[str]:
    """A call that failed until it was made differently; the same call again was bad luck only."""
    for index, attempt in enumerate(made):
        retries = [
            one for one in made[index + 1 :] if one.worked and one.call.name == attempt.call.name
        ]
        if attempt.failed and retries and retries[0].call.arguments != attempt.call.arguments:
            yield attempt.message_id


def _dead_ends(made: Sequence[Attempt]) -> Iterator[str]:
    """A tool that never worked, left for another one that did."""
    working = {one.call.name for one in made if one.worked}
    for index, attempt in enumerate(made):
        later = any(one.worked for one in made[index + 1 :])
        if attempt.failed and attempt.call.name not in working and later:
            yield attempt.message_id


def _changes_of_plan(experience: Experience) -> Iterator[str]:
    for turn in experience.said_by("assistant"):
        if CHANGE_OF_PLAN.search(turn.text):
            yield turn.message_id


def _corrections(experience: Experience) -> Iterator[str]:
    """Only what the agent did before can be corrected; a no to its question corrects nothing."""
    acted, asked = False, False
    for turn in experience.turns:
        if turn.role == "assistant":
            acted, asked = True, turn.text.rstrip().endswith("?")
        elif turn.role == "user" and acted and _corrects(turn.text, asked=asked):
            yield turn.message_id


def _corrects(text: str, *, asked: bool) -> bool:
    return bool(CORRECTION.search(text) or (not asked and BARE_NO.match(text)))
