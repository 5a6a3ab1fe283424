"""Messages are found by their ids, however many a project has."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.create_index(
        "ix_message_message_id", "message", ["project_id", "message_id"], schema="observer"
    )
