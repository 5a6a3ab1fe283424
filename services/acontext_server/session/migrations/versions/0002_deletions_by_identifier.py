"""Deletions of users that can be found by the user's identifier while they go on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column("deletion", sa.Column("identifier", sa.String(), nullable=True), schema="session")
