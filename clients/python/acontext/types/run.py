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
