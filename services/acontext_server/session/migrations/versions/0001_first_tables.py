"""Projects, keys, users, sessions, messages, observations, blobs."""

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
        "blob",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "sha256", name="blob_pkey"),
        schema="session",
    )
    op.create_table(
        "deletion",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "subject_id", "service", name="deletion_pkey"),
        schema="session",
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
        schema="session",
    )
    op.create_table(
        "project",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("settings", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("project_id", name="project_pkey"),
        schema="session",
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
        schema="session",
    )
    op.create_table(
        "api_key",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["session.project.project_id"],
            name="api_key_project",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "key_id", name="api_key_pkey"),
        schema="session",
    )
    op.create_index("api_key_hash", "api_key", ["hash"], unique=True, schema="session")
    op.create_table(
        "blob_use",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id", "sha256"],
            ["session.blob.project_id", "session.blob.sha256"],
            name="blob_use_blob",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "sha256", "message_id", name="blob_use_pkey"),
        schema="session",
    )
    op.create_index(
        "blob_use_by_session",
        "blob_use",
        ["project_id", "session_id"],
        unique=False,
        schema="session",
    )
    op.create_index(
        "blob_use_expiring",
        "blob_use",
        ["expires_at"],
        unique=False,
        schema="session",
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "user",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["session.project.project_id"], name="user_project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "user_id", name="user_pkey"),
        sa.UniqueConstraint("project_id", "identifier", name="user_identifier"),
        schema="session",
    )
    op.create_index(
        "user_by_time",
        "user",
        ["project_id", "created_at", "user_id"],
        unique=False,
        schema="session",
    )
    op.create_table(
        "session",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("space_id", sa.Uuid(), nullable=True),
        sa.Column("disable_task_tracking", sa.Boolean(), nullable=False),
        sa.Column("configs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "user_id"],
            ["session.user.project_id", "session.user.user_id"],
            name="session_user",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["session.project.project_id"],
            name="session_project",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", name="session_pkey"),
        schema="session",
    )
    op.create_index(
        "session_by_space",
        "session",
        ["project_id", "space_id", "created_at", "session_id"],
        unique=False,
        schema="session",
    )
    op.create_index(
        "session_by_time",
        "session",
        ["project_id", "created_at", "session_id"],
        unique=False,
        schema="session",
    )
    op.create_index(
        "session_by_user",
        "session",
        ["project_id", "user_id", "created_at", "session_id"],
        unique=False,
        schema="session",
    )
    op.create_table(
        "log",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("last_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_message_id", sa.Uuid(), nullable=True),
        sa.Column("last_stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("observed_through", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("running_through", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tracked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["session.session.project_id", "session.session.session_id"],
            name="log_session",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", name="log_pkey"),
        schema="session",
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(
        "log_waiting",
        "log",
        ["waiting_since", "session_id"],
        unique=False,
        schema="session",
        postgresql_where=sa.text("waiting_since IS NOT NULL"),
    )
    op.create_table(
        "message",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("uses_tools", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["session.session.project_id", "session.session.session_id"],
            name="message_session",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", "sequence", name="message_pkey"),
        sa.UniqueConstraint("project_id", "message_id", name="message_id"),
        schema="session",
    )
    op.create_index(
        "message_with_tools",
        "message",
        ["project_id", "session_id", "sequence"],
        unique=False,
        schema="session",
        postgresql_where=sa.text("uses_tools"),
    )
    op.create_table(
        "observation",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id", "sequence"],
            [
                "session.message.project_id",
                "session.message.session_id",
                "session.message.sequence",
            ],
            name="observation_message",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "session_id", "sequence", name="observation_pkey"),
        schema="session",
    )
