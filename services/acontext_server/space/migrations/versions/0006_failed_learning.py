"""Completed tasks that could not be learned, to be found and tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.create_index(
        "learning_failed_idx",
        "learning",
        ["project_id", "space_id"],
        schema="space",
        postgresql_where=sa.text("outcome = 'failed'"),
    )
