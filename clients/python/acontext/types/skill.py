"""Skills: what was learned, from what, and what it was worth."""

from dataclasses import dataclass

from .._model import Model, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSop(Model):
    """One step: a tool, and what to do with it."""

    tool_name: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sop(Model):
    """When to use a skill, what is preferred, which steps work."""

    use_when: str
    preferences: str
    tool_sops: list[ToolSop]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill(Model):
    """What a sop block says now; its id is the block's."""

    id: str
    space_id: str
    page_title: str
    sop: Sop
    version: int
    archived: bool
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyReason(Model):
    """A fact of a task that gave points."""

    kind: str
    points: int
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty(Model):
    """Whether a task was hard enough to teach steps."""

    score: int
    reasons: list[DifficultyReason]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillSource(Model):
    """A task that taught a version."""

    task_id: str
    session_id: str
    message_ids: list[str]
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillVersion(Model):
    """What a skill said, and why."""

    version: int
    sop: Sop
    written_by: str
    """`rules`, a model's name, or `person`."""
    change: str
    """`created`, `improved`, `superseded`, `edited` or `rolled_back`."""
    difficulty: Difficulty
    sources: list[SkillSource]
    created_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure(Model):
    """One time a skill was served to a session, and how its later tasks went."""

    session_id: str
    skill_version: int
    rank: int
    distance: float
    served_at: Timestamp
    succeeded: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillUse(Model):
    """One time that a version of a skill was written or served."""

    kind: str
    """`learned`, its first version; `improved`, a later one; or `served`."""
    skill_id: str
    space_id: str
    title: str
    version: int
    session_id: str | None = None
    """The session that was served; None where the version was written."""
    used_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillDay(Model):
    """One day of a project's skills."""

    date: str
    """`2026-11-22`, in the asked time zone."""
    learned: int
    improved: int
    served: int
    """Times that a search served a skill to a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillStatistics(Model):
    """What a project learned and how it was used, oldest day first."""

    days: list[SkillDay]
    spaces: int
    skills: int
    archived: int
    confirmations: int
    """Skills that wait for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SkillHistory(Model):
    """A skill with its versions, newest first, and its newest 100 exposures."""

    skill: Skill
    versions: list[SkillVersion]
    exposures: list[Exposure]
