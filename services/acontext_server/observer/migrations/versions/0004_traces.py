"""The trace in which something was announced, or a message was stored."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column("outbox", sa.Column("trace", sa.Text()), schema="observer")
    op.add_column("observation", sa.Column("trace", sa.Text()), schema="observer")
