"""Spaces, blocks, versions, learning, intents, runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
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
        sa.PrimaryKeyConstraint("project_id", "id", name="outbox_pkey"),
        schema="space",
    )
    op.create_table(
        "outcome",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "session_id", "task_id", name="outcome_pkey"),
        schema="space",
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
        sa.PrimaryKeyConstraint("project_id", "method", "request_id", name="request_pkey"),
        schema="space",
    )
    op.create_table(
        "run",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("instruction_version", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("space_id", sa.Uuid(), nullable=True),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="run_pkey"),
        schema="space",
    )
    op.create_index(
        "run_project_id_created_at_id_idx",
        "run",
        ["project_id", "created_at", "id"],
        unique=False,
        schema="space",
    )
    op.create_index(
        "run_project_id_session_id_idx",
        "run",
        ["project_id", "session_id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "space",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("configs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lease_owner", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="space_pkey"),
        schema="space",
    )
    op.create_index(
        "space_project_id_created_at_id_idx",
        "space",
        ["project_id", "created_at", "id"],
        unique=False,
        schema="space",
    )
    op.create_index(
        "space_project_id_user_id_idx",
        "space",
        ["project_id", "user_id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "tool_name",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "folded", name="tool_name_pkey"),
        schema="space",
    )
    op.create_table(
        "vector_intent",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("space_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("project_id", "block_id", name="vector_intent_pkey"),
        schema="space",
    )
    op.create_index(
        "vector_intent_due_at_idx", "vector_intent", ["due_at"], unique=False, schema="space"
    )
    op.create_table(
        "block",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("space_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("props", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("by_person", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=True),
        sa.Column("embedding_space", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "parent_id"],
            ["space.block.project_id", "space.block.id"],
            name="block_parent_fkey",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "space_id"],
            ["space.space.project_id", "space.space.id"],
            name="block_space_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="block_pkey"),
        sa.UniqueConstraint(
            "project_id",
            "space_id",
            "parent_id",
            "sort",
            deferrable=True,
            initially="DEFERRED",
            name="block_place_key",
            postgresql_nulls_not_distinct=True,
        ),
        schema="space",
    )
    op.create_index(
        "block_project_id_parent_id_idx",
        "block",
        ["project_id", "parent_id"],
        unique=False,
        schema="space",
    )
    op.create_index(
        "block_project_id_space_id_created_at_id_idx",
        "block",
        ["project_id", "space_id", "created_at", "id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "confirmation",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("space_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("message_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=True),
        sa.Column("sop", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("difficulty", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "space_id"],
            ["space.space.project_id", "space.space.id"],
            name="confirmation_space_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="confirmation_pkey"),
        schema="space",
    )
    op.create_index(
        "confirmation_project_id_space_id_created_at_id_idx",
        "confirmation",
        ["project_id", "space_id", "created_at", "id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "learning",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("task_version", sa.Integer(), nullable=False),
        sa.Column("space_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "space_id"],
            ["space.space.project_id", "space.space.id"],
            name="learning_space_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "task_id", "task_version", name="learning_pkey"),
        schema="space",
    )
    op.create_index(
        "learning_due_idx",
        "learning",
        ["due_at"],
        unique=False,
        schema="space",
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "learning_project_id_session_id_idx",
        "learning",
        ["project_id", "session_id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "exposure",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column(
            "served_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "block_id"],
            ["space.block.project_id", "space.block.id"],
            name="exposure_block_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name="exposure_pkey"),
        schema="space",
    )
    op.create_index(
        "exposure_project_id_block_id_id_idx",
        "exposure",
        ["project_id", "block_id", "id"],
        unique=False,
        schema="space",
    )
    op.create_index(
        "exposure_project_id_session_id_idx",
        "exposure",
        ["project_id", "session_id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "source",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("message_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "block_id"],
            ["space.block.project_id", "space.block.id"],
            name="source_block_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "block_id", "version", "task_id", name="source_pkey"),
        schema="space",
    )
    op.create_index(
        "source_project_id_session_id_idx",
        "source",
        ["project_id", "session_id"],
        unique=False,
        schema="space",
    )
    op.create_index(
        "source_project_id_task_id_idx",
        "source",
        ["project_id", "task_id"],
        unique=False,
        schema="space",
    )
    op.create_table(
        "version",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("block_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sop", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("difficulty", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "block_id"],
            ["space.block.project_id", "space.block.id"],
            name="version_block_fkey",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "block_id", "version", name="version_pkey"),
        schema="space",
    )
