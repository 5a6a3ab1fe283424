"""What a run of a model cost."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back."""
    for name in ("rounds", "tool_calls", "input_tokens", "output_tokens"):
        op.add_column(
            "run",
            sa.Column(name, sa.Integer(), server_default="0", nullable=False),
            schema="space",
        )
