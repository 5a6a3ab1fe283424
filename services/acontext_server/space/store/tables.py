"""The tables of space. Every key begins with project_id."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    delete,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from acontext_server.kit.database import Tx, patient
from acontext_server.kit.ids import ProjectId
from acontext_server.kit.outbox import outbox_table
from acontext_server.kit.requests import request_table

SCHEMA = "space"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(referred_table_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
    },
)
outbox = outbox_table(metadata)
request = request_table(metadata)


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 the declarative base reads it as a plain attribute
        datetime: DateTime(timezone=True),
        str: Text,
        float: Double,
        dict[str, Any]: JSONB,
        list[str]: JSONB,
    }


def _space_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["project_id", "space_id"], ["space.space.project_id", "space.space.id"], ondelete="CASCADE"
    )


def _block_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["project_id", "block_id"], ["space.block.project_id", "space.block.id"], ondelete="CASCADE"
    )


class SpaceRow(Table):
    """A space, and who learns in it at the moment."""

    __tablename__ = "space"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    configs: Mapped[dict[str, Any]]
    lease_owner: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index(None, "project_id", "created_at", "id"),
        Index(None, "project_id", "user_id"),
    )


class BlockRow(Table):
    """A node of a space's tree; a sop block is a skill."""

    __tablename__ = "block"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    space_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    type: Mapped[str]
    title: Mapped[str]
    props: Mapped[dict[str, Any]]
    sort: Mapped[int]
    archived: Mapped[bool] = mapped_column(server_default="false")
    version: Mapped[int] = mapped_column(server_default="0")
    by_person: Mapped[bool] = mapped_column(server_default="false")
    words: Mapped[str | None] = mapped_column(TSVECTOR)
    embedding_space: Mapped[str | None]
    """Read by the version before only; to go with the one after."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        _space_key(),
        ForeignKeyConstraint(
            ["project_id", "parent_id"],
            ["space.block.project_id", "space.block.id"],
            name="block_parent_fkey",
            ondelete="CASCADE",
        ),
        UniqueConstraint(
            "project_id",
            "space_id",
            "parent_id",
            "sort",
            name="block_place_key",
            deferrable=True,
            initially="DEFERRED",
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "project_id", "parent_id"),
        Index(None, "project_id", "space_id", "created_at", "id"),
    )


class VersionRow(Table):
    """What a skill said, and why."""

    __tablename__ = "version"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    block_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sop: Mapped[dict[str, Any]]
    written_by: Mapped[str]
    change: Mapped[str]
    difficulty: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (_block_key(),)


class SourceRow(Table):
    """A task that taught a version."""

    __tablename__ = "source"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    block_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID]
    message_ids: Mapped[list[str]]
    run_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        _block_key(),
        Index(None, "project_id", "task_id"),
        Index(None, "project_id", "session_id"),
    )


class ExposureRow(Table):
    """One time a skill was served to a session."""

    __tablename__ = "exposure"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    block_id: Mapped[UUID]
    session_id: Mapped[UUID]
    version: Mapped[int]
    rank: Mapped[int]
    distance: Mapped[float]
    served_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        _block_key(),
        Index(None, "project_id", "block_id", "id"),
        Index(None, "project_id", "session_id"),
    )


class OutcomeRow(Table):
    """How a task ended in a session that was served skills."""

    __tablename__ = "outcome"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    ended_at: Mapped[datetime]


class ConfirmationRow(Table):
    """A lesson that waits for a person."""

    __tablename__ = "confirmation"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    space_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    message_ids: Mapped[list[str]]
    block_id: Mapped[UUID | None]
    sop: Mapped[dict[str, Any]]
    written_by: Mapped[str]
    difficulty: Mapped[dict[str, Any]]
    run_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        _space_key(),
        Index(None, "project_id", "space_id", "created_at", "id"),
    )


class ToolNameRow(Table):
    """A tool that the project's skills know; two that differ in case only are one."""

    __tablename__ = "tool_name"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    folded: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class LearningRow(Table):
    """A completed task that is to be learned, or was: its key is the guard."""

    __tablename__ = "learning"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    task_version: Mapped[int] = mapped_column(primary_key=True)
    space_id: Mapped[UUID]
    session_id: Mapped[UUID]
    due_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    outcome: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    trace: Mapped[str | None]
    """What completed the task."""

    __table_args__ = (
        _space_key(),
        Index("learning_due_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "learning_failed_idx",
            "project_id",
            "space_id",
            postgresql_where=text("outcome = 'failed'"),
        ),
        Index(None, "project_id", "session_id"),
    )


class EmbeddingSpaceRow(Table):
    """An embedding space that vectors are written in, of all projects; one that is not ready is
    being filled and answers no searches yet."""

    __tablename__ = "embedding_space"

    name: Mapped[str] = mapped_column(primary_key=True)
    ready: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class VectorIntentRow(Table):
    """A block whose vector in an embedding space is to follow it. It outlives its block, whose
    vector must go too."""

    __tablename__ = "vector_intent"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    block_id: Mapped[UUID] = mapped_column(primary_key=True)
    embedding_space: Mapped[str] = mapped_column(primary_key=True, server_default="")
    """Empty in rows of the version before, which knew of one only."""
    space_id: Mapped[UUID]
    generation: Mapped[int] = mapped_column(server_default="1")
    attempts: Mapped[int] = mapped_column(server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (Index(None, "due_at"),)


class RunRow(Table):
    """One piece of work of an agent."""

    __tablename__ = "run"

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    engine: Mapped[str]
    instruction_version: Mapped[str]
    session_id: Mapped[UUID | None]
    task_id: Mapped[UUID | None]
    space_id: Mapped[UUID | None]
    rounds: Mapped[int] = mapped_column(server_default="0")
    tool_calls: Mapped[int] = mapped_column(server_default="0")
    input_tokens: Mapped[int] = mapped_column(server_default="0")
    output_tokens: Mapped[int] = mapped_column(server_default="0")
    cost: Mapped[float | None]
    duration_seconds: Mapped[float]
    outcome: Mapped[str]
    error: Mapped[str | None]
    summary: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index(None, "project_id", "created_at", "id"),
        Index(None, "project_id", "session_id"),
    )


async def forget_project(tx: Tx, project_id: ProjectId) -> None:
    """Remove every row of a project."""
    await patient(tx)
    for table in reversed(metadata.sorted_tables):
        if table is not outbox and table is not EmbeddingSpaceRow.__table__:
            await tx.execute(delete(table).where(table.c.project_id == project_id))
