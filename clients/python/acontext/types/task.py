"""Tasks, as they were observed, and figures of them."""

from dataclasses import dataclass
from typing import Self

from google.protobuf.message import Message

from .._model import Fields, Model, Timestamp


class TaskData(Fields):
    """What is known of a task; a dict, so `task.data["progresses"]` works where there are any."""

    @classmethod
    def of(cls, message: Message) -> Self:
        """Make it of a message, without what is empty."""
        data = cls()
        for field, value in message.ListFields():
            data[field.name] = list(value) if field.name in _LISTS else value
        return data

    @property
    def task_description(self) -> str:
        """What the task is."""
        return str(self.get("task_description", ""))

    @property
    def progresses(self) -> list[str] | None:
        """One line a milestone, first person as the agent; None if there is none."""
        return self.get("progresses")

    @property
    def user_preferences(self) -> list[str] | None:
        """What the user expects, and facts that the task needs; None if there is nothing."""
        return self.get("user_preferences")

    @property
    def sop_thinking(self) -> str | None:
        """Notes on the procedure, if there are any."""
        return self.get("sop_thinking")


_LISTS = ("progresses", "user_preferences")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Model):
    """One thing that an agent works on for its user."""

    id: str
    session_id: str
    project_id: str
    order: int
    """From 1, without gaps in its session."""
    data: TaskData
    status: str
    """`pending`, `running`, `success` or `failed`."""
    is_planning: bool
    space_digested: bool
    """Whether the session's space has dealt with it."""
    created_at: Timestamp
    updated_at: Timestamp
    version: int
    outcome_by: str
    """Who decided the status last: `observed`, or `set` by a caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage(Model):
    """A message that a task came from."""

    message_id: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWithMessages(Model):
    """A task with the messages it came from, oldest first."""

    task: Task
    messages: list[TaskMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChange(Model):
    """One step of a task's life."""

    cursor: str
    """Where to resume a watch behind this change."""
    task: Task
    removed: bool
    """Taken away, by a deletion or a new observation."""
    occurred_at: Timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class ReobservedSession(Model):
    """The tasks of a session after and before it was observed anew."""

    items: list[Task]
    former: list[Task]
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStatistics(Model):
    """One day of a project."""

    date: str
    """`2026-11-22`, in the asked time zone."""
    pending: int
    running: int
    success: int
    failed: int
    success_rate: float | None = None
    sessions: int
    messages: int
    messages_per_session: float
    tasks_per_session: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics(Model):
    """A project's work per day, oldest first."""

    days: list[DayStatistics]
    observation_lag_seconds: float
