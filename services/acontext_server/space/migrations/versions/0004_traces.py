"""The trace in which something was announced, or a task was completed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column("outbox", sa.Column("trace", sa.Text()), schema="space")
    op.add_column("learning", sa.Column("trace", sa.Text()), schema="space")
