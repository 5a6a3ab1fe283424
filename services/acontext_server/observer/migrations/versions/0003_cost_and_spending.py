"""What runs of models cost, and what counts against a month's budget."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column("run", sa.Column("cost", sa.Float(), nullable=True), schema="observer")
    op.create_table(
        "spending",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "run_id", name=op.f("pk_spending")),
        schema="observer",
    )
    op.create_index(
        "ix_spending_month", "spending", ["project_id", "month"], unique=False, schema="observer"
    )
