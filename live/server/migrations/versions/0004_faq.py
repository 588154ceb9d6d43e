"""What a store's assistant says by itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "faqs",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("switched_on", sa.Boolean, nullable=False),
        sa.Column("entries", JSONB, nullable=False),
        sa.Column(
            "saved_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
        ),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("faqs")
