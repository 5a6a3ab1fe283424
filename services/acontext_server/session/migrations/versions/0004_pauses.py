"""Until when the models of a project pause."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    paused_until = sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("project", paused_until, schema="session")
