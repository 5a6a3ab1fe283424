"""What a run of a model cost, where prices are configured."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    op.add_column("run", sa.Column("cost", sa.Float(), nullable=True), schema="space")
