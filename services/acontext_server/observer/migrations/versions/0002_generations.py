"""Former generations of tasks, and the words of outcomes set from outside."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column(
        "observation",
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        schema="observer",
    )
    op.add_column(
        "task",
        sa.Column("outcome_reason", sa.Text(), server_default="", nullable=False),
        schema="observer",
    )
    op.create_table(
        "former_task",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("task", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "session_id"],
            ["observer.observation.project_id", "observer.observation.session_id"],
            name=op.f("fk_former_task_observation"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "project_id", "session_id", "generation", "task_id", name=op.f("pk_former_task")
        ),
        schema="observer",
    )
