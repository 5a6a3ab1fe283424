"""Merge, don't pile up: what a lesson is to the skills that a space already has."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from acontext_server.space.domain.skills import Sop, plain
from acontext_server.space.domain.text import content_words, sentences

SAME_PURPOSE = 0.2
"""Cosine distance up to which two `use_when` are the same in other words."""
SAME_TOOLS_PURPOSE = 0.6
"""As above, where the same tools are called in the same order."""
SAME_PREFERENCE_PURPOSE = 0.35
"""As above, for a lesson without steps."""
MOST_PREFERENCES = 12


class Verdict(StrEnum):
    """What becomes of a lesson."""

    NEW = "new"
    SAME = "same"
    """The skill is known: the lesson is one more source of it."""
    IMPROVED = "improved"
    SUPERSEDED = "superseded"
    """It contradicts what was known."""


@dataclass(frozen=True)
class Known:
    """A skill near a lesson."""

    skill_id: UUID
    sop: Sop
    distance: float
    """Between the two `use_when`."""
    former: tuple[Sop, ...] = ()
    """Earlier versions, so that two ways do not replace each other for ever."""
    taught_by_same_task: bool = False
    """An earlier completion of this very task taught it, and nothing else did."""


@dataclass(frozen=True)
class Merge:
    """A verdict, with what the skill says from then on."""

    verdict: Verdict
    sop: Sop
    skill_id: UUID | None = None


def merge(lesson: Sop, known: Sequence[Known]) -> Merge:
    """Find the skill that a lesson belongs to, and what it changes there."""
    same = next((one for one in _by_nearness(known) if _is_same_skill(lesson, one)), None)
    if same is None:
        return Merge(Verdict.NEW, lesson)
    if same.taught_by_same_task:
        return _settled(same, lesson, contradicts=True)
    preferences, contradicts = _joined(same.sop.preferences, lesson.preferences)
    steps = lesson.steps if _is_better_way(lesson, same.sop) else same.sop.steps
    return _settled(same, Sop(same.sop.use_when, preferences, steps), contradicts=contradicts)


def _by_nearness(known: Sequence[Known]) -> list[Known]:
    return sorted(known, key=lambda one: (not one.taught_by_same_task, one.distance))


def _settled(known: Known, sop: Sop, *, contradicts: bool) -> Merge:
    if any(sop.says_the_same(version) for version in (known.sop, *known.former)):
        return Merge(Verdict.SAME, known.sop, known.skill_id)
    verdict = Verdict.SUPERSEDED if contradicts else Verdict.IMPROVED
    return Merge(verdict, sop, known.skill_id)


def _is_same_skill(lesson: Sop, known: Known) -> bool:
    if known.taught_by_same_task or lesson.says_the_same(known.sop):
        return True
    if not lesson.steps or not known.sop.steps:
        return known.distance <= SAME_PREFERENCE_PURPOSE
    same_tools = lesson.tool_names == known.sop.tool_names
    return known.distance <= (SAME_TOOLS_PURPOSE if same_tools else SAME_PURPOSE)


def _is_better_way(lesson: Sop, known: Sop) -> bool:
    """A newer way is better, unless it is the known one with detours."""
    if not lesson.steps or lesson.tool_names == known.tool_names:
        return False
    return not known.steps or not _contains(lesson.tool_names, known.tool_names)


def _contains(longer: Sequence[str], shorter: Sequence[str]) -> bool:
    rest = iter(longer)
    return all(name in rest for name in shorter)


def _joined(known: str, new: str) -> tuple[str, bool]:
    """Add preferences; a newer one takes the place of those it contradicts."""
    kept, contradicts = preferences_of(known), False
    for line in preferences_of(new):
        opposed = [old for old in kept if _contradict(old, line)]
        kept = [old for old in kept if old not in opposed]
        contradicts = contradicts or bool(opposed)
        if not any(_means_the_same(old, line) for old in kept):
            kept.append(line)
    return ". ".join(kept[-MOST_PREFERENCES:]), contradicts


def preferences_of(text: str) -> list[str]:
    """Take joined preferences apart."""
    return [line.rstrip(".! ") for line in sentences(text)]


NEGATIONS = frozenset(["not", "no", "never", "without", "don", "dont", "doesn", "avoid", "nor"])
FILLERS = frozenset(["always", "never", "avoid", "wants", "expects", "prefers", "asks", "don't"])


def _contradict(one: str, other: str) -> bool:
    same_subject = _overlap(one, other) >= 0.6
    return same_subject and _negated(one) != _negated(other)


def _means_the_same(one: str, other: str) -> bool:
    return _overlap(one, other) >= 0.8 and _negated(one) == _negated(other)


def _negated(text: str) -> bool:
    return bool(NEGATIONS & set(plain(text).split()))


def _overlap(one: str, other: str) -> float:
    left, right = (set(content_words(text)) - FILLERS for text in (one, other))
    return len(left & right) / max(len(left | right), 1)
