"""A skill is a standard operating procedure: when to use it, what to mind, which steps to take."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


@dataclass(frozen=True)
class Step:
    """One tool call of the way that worked, worded so that it fits the next run too."""

    tool_name: str
    """Exactly as it was called."""
    action: str


@dataclass(frozen=True)
class Sop:
    """What is learned from a task. Empty parts are empty, never absent."""

    use_when: str
    preferences: str = ""
    steps: tuple[Step, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is left that would help next time."""
        return not self.preferences and not self.steps

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Name the tools in step order."""
        return tuple(step.tool_name for step in self.steps)

    def says_the_same(self, other: "Sop") -> bool:
        """Compare content, blind to case, spacing and punctuation."""
        return self._plain() == other._plain()

    def _plain(self) -> tuple[str, ...]:
        actions = (plain(f"{step.tool_name} {step.action}") for step in self.steps)
        return (plain(self.use_when), plain(self.preferences), *actions)


def plain(text: str) -> str:
    """Reduce a text to its words, so that two spellings of it are equal."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded))


class Reason(StrEnum):
    """Why a task was hard."""

    TOOL_ERROR = "tool_error"
    WRONG_STRATEGY = "wrong_strategy"
    USER_CORRECTION = "user_correction"
    STATED_PREFERENCE = "stated_preference"
    PROJECT_RULE = "project_rule"
    CRITICAL_PROJECT_RULE = "critical_project_rule"


POINTS = {
    Reason.TOOL_ERROR: 1,
    Reason.WRONG_STRATEGY: 1,
    Reason.USER_CORRECTION: 2,
    Reason.STATED_PREFERENCE: 2,
    Reason.PROJECT_RULE: 1,
    Reason.CRITICAL_PROJECT_RULE: 3,
}


@dataclass(frozen=True)
class Difficulty:
    """How hard a task was: each reason once, with the messages that show it."""

    evidence: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)

    @property
    def score(self) -> int:
        """Add up the points."""
        return sum(POINTS[reason] for reason in self.evidence)


def worth_keeping(sop: Sop, difficulty: Difficulty, minimum: int) -> Sop | None:
    """Drop the steps of an easy task; None when no lasting preference is left either."""
    kept = sop if difficulty.score >= minimum else Sop(sop.use_when, sop.preferences)
    return None if kept.is_empty else kept


@dataclass(frozen=True)
class Source:
    """A task that taught something."""

    task_id: UUID
    session_id: UUID
    message_ids: tuple[str, ...]
    run_id: UUID | None = None


@dataclass(frozen=True)
class Version:
    """What a skill said, and why."""

    version: int
    sop: Sop
    written_by: str
    change: str
    """`created`, `improved`, `superseded`, `edited` or `rolled_back`."""
    created_at: datetime
    difficulty: Difficulty = field(default_factory=Difficulty)
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Exposure:
    """One time a skill was served to a session."""

    id: UUID
    session_id: UUID
    skill_version: int
    rank: int
    distance: float
    served_at: datetime
    succeeded: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class SkillDay:
    """What a project learned and used on one day."""

    date: str
    learned: int
    improved: int
    served: int


@dataclass(frozen=True, kw_only=True)
class SkillUse:
    """One time that a version of a skill was written or served."""

    kind: str
    """`learned`, `improved` or `served`."""
    id: UUID
    """Tells it from others of the same time."""
    skill_id: UUID
    space_id: UUID
    title: str
    version: int
    session_id: UUID | None
    used_at: datetime


@dataclass(frozen=True, kw_only=True)
class SkillStatistics:
    """What a project's skills count."""

    days: Sequence[SkillDay]
    spaces: int
    skills: int
    archived: int
    confirmations: int


@dataclass(frozen=True)
class Confirmation:
    """A lesson that waits for a person."""

    id: UUID
    space_id: UUID
    sop: Sop
    written_by: str
    difficulty: Difficulty
    source: Source | None
    skill_id: UUID | None
    """The skill that it would change; None for a new one, or wherever it fits."""
    created_at: datetime
