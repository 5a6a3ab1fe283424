"""Embedding spaces side by side, so that one is filled while another answers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expand only: the version before goes on with rows that name no embedding space."""
    op.create_table(
        "embedding_space",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name="embedding_space_pkey"),
        schema="space",
    )
    op.execute(
        """
        insert into space.embedding_space (name, ready)
        select distinct embedding_space, true from space.block where embedding_space is not null
        """
    )
    op.add_column(
        "vector_intent",
        sa.Column("embedding_space", sa.Text(), server_default="", nullable=False),
        schema="space",
    )
    op.drop_constraint("vector_intent_pkey", "vector_intent", schema="space")
    op.create_primary_key(
        "vector_intent_pkey",
        "vector_intent",
        ["project_id", "block_id", "embedding_space"],
        schema="space",
    )
