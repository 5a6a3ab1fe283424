"""What is to be learned, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from acontext_server.kit.ids import ProjectId


@dataclass(frozen=True)
class Completion:
    """A task that became success in a session with a space."""

    project_id: ProjectId
    space_id: UUID
    session_id: UUID
    task_id: UUID
    task_version: int


class Outcome(StrEnum):
    """What the space made of a completed task."""

    SKILL = "skill"
    PREFERENCES = "preferences"
    WAITING = "waiting"
    NOTHING = "nothing"
    FAILED = "failed"
    """It was tried to the end; somebody may ask for it to be tried again."""


@dataclass(frozen=True)
class Run:
    """One piece of work of an agent."""

    id: UUID
    project_id: ProjectId
    role: str
    engine: str
    instruction_version: str
    session_id: UUID | None
    task_id: UUID | None
    space_id: UUID | None
    duration_seconds: float
    outcome: str
    error: str | None
    summary: str
    created_at: datetime
    rounds: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True)
class WantedRuns:
    """Which runs are asked for; what is empty leaves none out."""

    space_id: UUID | None = None
    session_id: UUID | None = None
    role: str = ""
    outcome: str = ""
