"""Projects, what is set for one, and the keys that open it."""

from dataclasses import dataclass, field

from .._model import Model, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Project(Model):
    """A tenant: everything stored belongs to exactly one."""

    id: str
    name: str
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedProject(Model):
    """A new project with its first key, which is shown only here."""

    project: Project
    secret: str | None = None
    """None when the answer is that of a retried request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyRule(Model):
    """Adds points to tasks that it fits: 1 if `normal`, 3 if `critical`."""

    text: str
    weight: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings(Model):
    """How a project's sessions are observed and learned from; None means the default."""

    buffer_turns: int | None = None
    """Messages that wait before a session is observed without being quiet, 1 to 1000 (16)."""
    buffer_idle_seconds: float | None = None
    """Seconds of quiet after which a session is observed (8)."""
    task_tracking: bool | None = None
    """Whether sessions are observed at all (true)."""
    learning: bool | None = None
    """Whether completed tasks are learned from (true)."""
    minimum_difficulty: int | None = None
    """Points below which a task teaches no steps; 0 learns everything (2)."""
    confirmation: bool | None = None
    """Whether a learned skill waits for a person (false)."""
    difficulty_rules: list[DifficultyRule] = field(default_factory=list)
    success_criteria: str | None = None
    failure_criteria: str | None = None
    search_threshold: float | None = None
    """Cosine distance above which a search gives no answer (calibrated for the embedder)."""
    models: dict[str, str] = field(default_factory=dict)
    """The model of each role: observer, distiller, librarian, searcher."""
    monthly_token_budget: int | None = None
    """Tokens of a calendar month, in UTC, after which models pause (the server's default)."""
    rounds: int | None = None
    """Rounds in which a run of a model has to come to its end, 1 to 50 (6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Model):
    """Lets its bearer act for a project."""

    id: str
    project_id: str
    prefix: str
    """The first characters of the secret, enough to recognise it."""
    created_at: Timestamp
    last_used_at: Timestamp | None = None
    expires_at: Timestamp | None = None
    """Set when the key was rotated and still works until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedApiKey(Model):
    """A new key with its secret, which is shown only here."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Model):
    """Who has forgotten what a deletion covers."""

    confirmed_by: list[str]
    waiting_for: list[str]
