"""The tables. Rows become nouns of the domain in this room and never leave it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from acontext_server.kit.outbox import outbox_table
from acontext_server.kit.requests import request_table

metadata = MetaData(schema="disk")
outbox = outbox_table(metadata)
request = request_table(metadata)


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        bytes: LargeBinary,
    }


class DiskRow(Table):
    """A disk, without its artifacts."""

    __tablename__ = "disk"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "disk_id", name="disk_pkey"),
        Index("disk_by_time", "project_id", "created_at", "disk_id"),
        Index("disk_by_user", "project_id", "user_id", "created_at", "disk_id"),
    )

    project_id: Mapped[UUID]
    disk_id: Mapped[UUID]
    user_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class BlobRow(Table):
    """Bytes that are kept, or soon will be; what needs them refers to this row."""

    __tablename__ = "blob"
    __table_args__ = (PrimaryKeyConstraint("project_id", "sha256", name="blob_pkey"),)

    project_id: Mapped[UUID]
    sha256: Mapped[str]
    text: Mapped[str | None]
    """For searching, so without NUL; read the bytes for the exact text."""


class ClaimRow(Table):
    """An upload that is under way needs the bytes."""

    __tablename__ = "claim"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "claim_id", name="claim_pkey"),
        ForeignKeyConstraint(
            ["project_id", "sha256"], ["disk.blob.project_id", "disk.blob.sha256"], "claim_blob"
        ),
        Index("claim_by_blob", "project_id", "sha256"),
    )

    project_id: Mapped[UUID]
    claim_id: Mapped[UUID]
    sha256: Mapped[str]
    expires_at: Mapped[datetime]


class ArtifactRow(Table):
    """A file on a disk. Paths sort and compare by their bytes, whatever the database's language."""

    __tablename__ = "artifact"
    __table_args__ = (
        PrimaryKeyConstraint("project_id", "disk_id", "path", "filename", name="artifact_pkey"),
        ForeignKeyConstraint(
            ["project_id", "disk_id"],
            ["disk.disk.project_id", "disk.disk.disk_id"],
            "artifact_disk",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["project_id", "sha256"], ["disk.blob.project_id", "disk.blob.sha256"], "artifact_blob"
        ),
        Index("artifact_by_blob", "project_id", "sha256"),
    )

    project_id: Mapped[UUID]
    disk_id: Mapped[UUID]
    path: Mapped[str] = mapped_column(Text(collation="C"))
    filename: Mapped[str] = mapped_column(Text(collation="C"))
    sha256: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mime: Mapped[str]
    content_type: Mapped[str | None]
    meta: Mapped[bytes]
    """The user's keys as JSON text: a jsonb refuses NUL."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
