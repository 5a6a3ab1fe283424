"""Observations, tasks, messages, failures, reports, runs, changes."""

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
        "observation",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("space_id", sa.Uuid(), nullable=True),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("running_through", sa.Integer(), nullable=False),
        sa.Column("told_through", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("engine_state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "session_id", name=op.f("pk_observation")),
        schema="observer",
    )
    op.create_index(
        "ix_observation_due_at",
        "observation",
        ["due_at"],
        unique=False,
        schema="observer",
        postgresql_where="due_at IS NOT NULL",
    )
    op.create_index(
        "ix_observation_user",
        "observation",
        ["project_id", "user_id"],
        unique=False,
        schema="observer",
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
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("pk_outbox")),
        schema="observer",
    )
    op.create_table(
        "task_change",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("task", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "position", name=op.f("pk_task_change")),
        schema="observer",
    )
    op.create_index(
        "ix_task_change_occurred_at",
        "task_change",
        ["occurred_at"],
        unique=False,
        schema="observer",
    )
    op.create_index(
        "ix_task_change_session",
        "task_change",
        ["project_id", "session_id", "position"],
        unique=False,
        schema="observer",
    )
    op.create_table(
        "task_change_count",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_task_change_count")),
        schema="observer",
    )
    op.create_table(
        "failed_message",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("retrying", sa.Boolean(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_failed_message_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "project_id", "session_id", "sequence", name=op.f("pk_failed_message")
        ),
        schema="observer",
    )
    op.create_table(
        "message",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_message_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", "sequence", name=op.f("pk_message")),
        schema="observer",
    )
    op.create_index(
        "ix_message_observed_at",
        "message",
        ["project_id", "observed_at"],
        unique=False,
        schema="observer",
    )
    op.create_index(
        "ix_message_task",
        "message",
        ["project_id", "task_id", "sequence"],
        unique=False,
        schema="observer",
    )
    op.create_table(
        "report",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_report_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", "id", name=op.f("pk_report")),
        schema="observer",
    )
    op.create_index(
        "ix_report_created_at", "report", ["created_at"], unique=False, schema="observer"
    )
    op.create_table(
        "run",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("instruction_version", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("tool_calls", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("duration_seconds", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_run_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("pk_run")),
        schema="observer",
    )
    op.create_index(
        "ix_run_created_at",
        "run",
        ["project_id", "created_at", "id"],
        unique=False,
        schema="observer",
    )
    op.create_table(
        "task",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("progresses", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("preferences", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("completions", sa.Integer(), nullable=False),
        sa.Column("space_digested", sa.Boolean(), nullable=False),
        sa.Column("announcements", sa.Integer(), nullable=False),
        sa.Column("announce_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_task_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("pk_task")),
        sa.UniqueConstraint(
            "project_id", "session_id", "order", name=op.f("uq_task_project_id_session_id_order")
        ),
        schema="observer",
    )
    op.create_index(
        "ix_task_announce_at",
        "task",
        ["announce_at"],
        unique=False,
        schema="observer",
        postgresql_where="announce_at IS NOT NULL",
    )
    op.create_index(
        "ix_task_created_at", "task", ["project_id", "created_at"], unique=False, schema="observer"
    )
