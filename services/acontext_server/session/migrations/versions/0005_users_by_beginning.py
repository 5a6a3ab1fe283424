"""Users are found by what their identifiers begin with, however many a project has."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.create_index(
        "user_by_beginning",
        "user",
        ["project_id", "identifier"],
        schema="session",
        postgresql_ops={"identifier": "text_pattern_ops"},
    )
