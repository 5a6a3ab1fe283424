"""What observing and learning did, and what it cost."""

from dataclasses import dataclass

from .._model import Model, Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Model):
    """One piece of work of an agent of Acontext's own."""

    id: str
    project_id: str
    role: str
    """`observer`, `distiller`, `librarian` or `searcher`."""
    engine: str
    """`rules`, or the model's name."""
    instruction_version: str
    session_id: str | None = None
    task_id: str | None = None
    space_id: str | None = None
    rounds: int
    tool_calls: int
    input_tokens: int
    output_tokens: int
    cost: float | None = None
    """In the currency of the configured prices; None without prices."""
    duration_seconds: float
    outcome: str
    """`success`, `failed` or `refused`."""
    error: str | None = None
    created_at: Timestamp
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUse(Model):
    """What models took in one role."""

    role: str
    runs: int
    input_tokens: float
    output_tokens: float
    cost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse(Model):
    """What models took of a project's budget in a calendar month, in UTC."""

    month: str
    """`2026-11`."""
    tokens: float
    """Input and output together."""
    budget: int | None = None
    paused: bool
    """Models wait for a larger budget or the next month."""
    roles: list[RoleUse]
