"""The tables. Rows become nouns of the domain in this room and never leave it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from acontext_server.kit.outbox import outbox_table
from acontext_server.kit.requests import request_table

metadata = MetaData(schema="session")
outbox = outbox_table(metadata)
request = request_table(metadata)


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        bytes: LargeBinary,
    }


class ProjectRow(Table):
    """A tenant. A deleted one stays as a tombstone until everybody has forgotten it."""

    __tablename__ = "project"
    __table_args__ = (PrimaryKeyConstraint("project_id", name="project_pkey"),)

    project_id: Mapped[UUID]
    name: Mapped[str]
    settings: Mapped[bytes] = mapped_column(server_default=text("''"))
    """A serialised ProjectSettings."""
    paused_until: Mapped[datetime | None]
    """Until then its models pause, as observer said."""
    deleted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ApiKeyRow(Table):
    """A key's keyed hash."""

    __tablename__ = "api_key"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "key_id", name="api_key_pkey"),
        ForeignKeyConstraint(
            ["project_id"], ["session.project.project_id"], "api_key_project", ondelete="CASCADE"
        ),
        Index("api_key_hash", "hash", unique=True),
    )

    project_id: Mapped[UUID]
    key_id: Mapped[UUID]
    hash: Mapped[bytes]
    prefix: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class UserRow(Table):
    """A user."""

    __tablename__ = "user"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "user_id", name="user_pkey"),
        ForeignKeyConstraint(
            ["project_id"], ["session.project.project_id"], "user_project", ondelete="CASCADE"
        ),
        UniqueConstraint("project_id", "identifier", name="user_identifier"),
        Index("user_by_time", "project_id", "created_at", "user_id"),
        Index(
            "user_by_beginning",
            "project_id",
            "identifier",
            postgresql_ops={"identifier": "text_pattern_ops"},
        ),
    )

    project_id: Mapped[UUID]
    user_id: Mapped[UUID]
    identifier: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class DeletionRow(Table):
    """A user or project that is gone here and that others still have to forget."""

    __tablename__ = "deletion"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "subject_id", "service", name="deletion_pkey"),
    )

    project_id: Mapped[UUID]
    subject_id: Mapped[UUID]
    """The user, or the project itself."""
    service: Mapped[str]
    identifier: Mapped[str | None]
    """The user's, by which a repeated deletion finds it."""
    confirmed_at: Mapped[datetime | None]


class SessionRow(Table):
    """A conversation, without its log."""

    __tablename__ = "session"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "session_id", name="session_pkey"),
        ForeignKeyConstraint(
            ["project_id"], ["session.project.project_id"], "session_project", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["project_id", "user_id"],
            ["session.user.project_id", "session.user.user_id"],
            "session_user",
        ),
        Index("session_by_time", "project_id", "created_at", "session_id"),
        Index("session_by_user", "project_id", "user_id", "created_at", "session_id"),
        Index("session_by_space", "project_id", "space_id", "created_at", "session_id"),
    )

    project_id: Mapped[UUID]
    session_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    space_id: Mapped[UUID | None]
    disable_task_tracking: Mapped[bool]
    configs: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class LogRow(Table):
    """The end of a session's log: what storing and observing lock and move.

    It is apart from the session, so that the row that changes with every message stays small.
    """

    __tablename__ = "log"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "session_id", name="log_pkey"),
        ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["session.session.project_id", "session.session.session_id"],
            "log_session",
            ondelete="CASCADE",
        ),
        Index(
            "log_waiting",
            "waiting_since",
            "session_id",
            postgresql_where=text("waiting_since IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 50}},
    )

    project_id: Mapped[UUID]
    session_id: Mapped[UUID]
    last_sequence: Mapped[int] = mapped_column(server_default=text("0"))
    last_message_id: Mapped[UUID | None]
    last_stored_at: Mapped[datetime | None]
    tokens: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    observed_through: Mapped[int] = mapped_column(server_default=text("0"))
    running_through: Mapped[int] = mapped_column(server_default=text("0"))
    waiting_since: Mapped[datetime | None]
    """When the oldest unobserved message was stored; only if the session is tracked."""
    tracked: Mapped[bool]


class MessageRow(Table):
    """A message. Never updated: what observing adds is in rows of its own."""

    __tablename__ = "message"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "session_id", "sequence", name="message_pkey"),
        ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["session.session.project_id", "session.session.session_id"],
            "message_session",
            ondelete="CASCADE",
        ),
        UniqueConstraint("project_id", "message_id", name="message_id"),
        Index(
            "message_with_tools",
            "project_id",
            "session_id",
            "sequence",
            postgresql_where=text("uses_tools"),
        ),
    )

    project_id: Mapped[UUID]
    session_id: Mapped[UUID]
    sequence: Mapped[int]
    message_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    role: Mapped[str]
    content: Mapped[bytes]
    """A serialised MessageContent."""
    size: Mapped[int]
    tokens: Mapped[int]
    uses_tools: Mapped[bool]
    created_at: Mapped[datetime]


class ObservationRow(Table):
    """What observing says of one message beyond how far the log is observed."""

    __tablename__ = "observation"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "session_id", "sequence", name="observation_pkey"),
        ForeignKeyConstraint(
            ["project_id", "session_id", "sequence"],
            [
                "session.message.project_id",
                "session.message.session_id",
                "session.message.sequence",
            ],
            "observation_message",
            ondelete="CASCADE",
        ),
    )

    project_id: Mapped[UUID]
    session_id: Mapped[UUID]
    sequence: Mapped[int]
    task_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class BlobRow(Table):
    """Bytes that may be in Blobs; locked by whoever uses or removes them."""

    __tablename__ = "blob"
    __table_args__ = (PrimaryKeyConstraint("project_id", "sha256", name="blob_pkey"),)

    project_id: Mapped[UUID]
    sha256: Mapped[str]


class BlobUseRow(Table):
    """A message that needs bytes: for good once it is stored, for a while before."""

    __tablename__ = "blob_use"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "sha256", "message_id", name="blob_use_pkey"),
        ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["session.blob.project_id", "session.blob.sha256"],
            "blob_use_blob",
            ondelete="CASCADE",
        ),
        Index("blob_use_by_session", "project_id", "session_id"),
        Index("blob_use_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    project_id: Mapped[UUID]
    sha256: Mapped[str]
    message_id: Mapped[UUID]
    session_id: Mapped[UUID]
    expires_at: Mapped[datetime | None]
    """Set until the message is stored, so that what a dead writer left behind is found."""
