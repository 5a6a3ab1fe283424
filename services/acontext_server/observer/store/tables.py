"""The tables of the observer. Every key begins with the project."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from acontext_server.kit.outbox import outbox_table


class Base(DeclarativeBase):
    """All tables of this service's schema."""

    metadata = MetaData(
        schema="observer",
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        },
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it so
        datetime: DateTime(timezone=True),
        str: Text,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


OUTBOX = outbox_table(Base.metadata)


def _of_session() -> ForeignKeyConstraint:
    """Go when the session's observation goes."""
    return ForeignKeyConstraint(
        ["project_id", "session_id"],
        ["observer.observation.project_id", "observer.observation.session_id"],
        ondelete="CASCADE",
    )


class ObservationRow(Base):
    """How far a session is observed, and who may go on."""

    __tablename__ = "observation"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    space_id: Mapped[UUID | None]
    cursor: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    """The highest sequence that anybody told of."""
    running_through: Mapped[int] = mapped_column(default=0)
    told_through: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    """When to observe; nothing waits when unset."""
    waiting_since: Mapped[datetime | None]
    lease_owner: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    engine_state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    generation: Mapped[int] = mapped_column(default=1, server_default="1")
    """Counts how often its tasks were replaced by a new observation, from 1."""
    trace: Mapped[str | None]
    """What the newest message that anybody told of was stored in."""
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_observation_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
        Index("ix_observation_user", "project_id", "user_id"),
    )


class TaskRow(Base):
    """A task of a session; order 0 is its planning section."""

    __tablename__ = "task"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    order: Mapped[int]
    status: Mapped[str]
    description: Mapped[str]
    progresses: Mapped[list[str]]
    preferences: Mapped[list[str]]
    settled: Mapped[bool]
    outcome_reason: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int]
    completions: Mapped[int]
    space_digested: Mapped[bool]
    announcements: Mapped[int] = mapped_column(default=0)
    """How often this completion was announced."""
    announce_at: Mapped[datetime | None]
    """When it is announced again, unless it was learned by then."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        _of_session(),
        UniqueConstraint("project_id", "session_id", "order"),
        Index("ix_task_created_at", "project_id", "created_at"),
        Index("ix_task_announce_at", "announce_at", postgresql_where="announce_at IS NOT NULL"),
    )


class FormerTaskRow(Base):
    """A task of a former generation, as it was when a new observation took its place."""

    __tablename__ = "former_task"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    task: Mapped[dict[str, Any]]
    kept_at: Mapped[datetime]

    __table_args__ = (_of_session(),)


class MessageRow(Base):
    """An observed message, and the task that took it."""

    __tablename__ = "message"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    observed_at: Mapped[datetime]

    __table_args__ = (
        _of_session(),
        Index("ix_message_task", "project_id", "task_id", "sequence"),
        Index("ix_message_message_id", "project_id", "message_id"),
        Index("ix_message_observed_at", "project_id", "observed_at"),
    )


class FailedMessageRow(Base):
    """A message that could not be observed."""

    __tablename__ = "failed_message"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[UUID]
    reason: Mapped[str]
    retrying: Mapped[bool]
    """Somebody asked to observe it again."""
    failed_at: Mapped[datetime]

    __table_args__ = (_of_session(),)


class ReportRow(Base):
    """What session has not acknowledged yet; the row is the retry."""

    __tablename__ = "report"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    report: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    __table_args__ = (_of_session(), Index("ix_report_created_at", "created_at"))


class RunRow(Base):
    """One piece of work of an engine."""

    __tablename__ = "run"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    engine: Mapped[str]
    instruction_version: Mapped[str]
    rounds: Mapped[int]
    tool_calls: Mapped[int]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    duration_seconds: Mapped[float]
    outcome: Mapped[str]
    error: Mapped[str]
    summary: Mapped[str]
    created_at: Mapped[datetime]
    cost: Mapped[float | None]

    __table_args__ = (
        _of_session(),
        Index("ix_run_created_at", "project_id", "created_at", "id"),
    )


class SpendingRow(Base):
    """What a run of a model took, here or in space; it outlives the session of the run."""

    __tablename__ = "spending"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date]
    role: Mapped[str]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost: Mapped[float | None]

    __table_args__ = (Index("ix_spending_month", "project_id", "month"),)


class ChangeRow(Base):
    """One step in the life of the project's tasks, in the order of their commits."""

    __tablename__ = "task_change"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    session_id: Mapped[UUID]
    task_id: Mapped[UUID]
    removed: Mapped[bool]
    task: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_task_change_session", "project_id", "session_id", "position"),
        Index("ix_task_change_occurred_at", "occurred_at"),
    )


class ChangeCountRow(Base):
    """The last position given in a project's log of changes.

    Whoever appends holds this row until the commit, so positions become visible in their order and
    a reader behind one of them misses nothing.
    """

    __tablename__ = "task_change_count"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
