"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.create_table(
        "blob",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "sha256", name="blob_pkey"),
        schema="disk",
    )
    op.create_table(
        "disk",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("disk_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "disk_id", name="disk_pkey"),
        schema="disk",
    )
    op.create_index(
        "disk_by_time", "disk", ["project_id", "created_at", "disk_id"], unique=False, schema="disk"
    )
    op.create_index(
        "disk_by_user",
        "disk",
        ["project_id", "user_id", "created_at", "disk_id"],
        unique=False,
        schema="disk",
    )
    op.create_table(
        "outbox",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("entity", sa.Uuid(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("project_id", "id"),
        schema="disk",
    )
    op.create_table(
        "request",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("project_id", "method", "request_id"),
        schema="disk",
    )
    op.create_table(
        "artifact",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("disk_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("filename", sa.Text(collation="C"), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("meta", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "disk_id"],
            ["disk.disk.project_id", "disk.disk.disk_id"],
            name="artifact_disk",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["disk.blob.project_id", "disk.blob.sha256"],
            name="artifact_blob",
        ),
        sa.PrimaryKeyConstraint("project_id", "disk_id", "path", "filename", name="artifact_pkey"),
        schema="disk",
    )
    op.create_index(
        "artifact_by_blob", "artifact", ["project_id", "sha256"], unique=False, schema="disk"
    )
    op.create_table(
        "claim",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["disk.blob.project_id", "disk.blob.sha256"],
            name="claim_blob",
        ),
        sa.PrimaryKeyConstraint("project_id", "claim_id", name="claim_pkey"),
        schema="disk",
    )
    op.create_index("claim_by_blob", "claim", ["project_id", "sha256"], unique=False, schema="disk")
