"""Who follows which store, and rooms that are for followers alone."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "followers",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column(
            "since", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        sa.Index("followers_by_account", "account", "since"),
    )
    column = sa.Column("followers_only", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("chat_settings", column)


def downgrade() -> None:
    """Take it back."""
    op.drop_column("chat_settings", "followers_only")
    op.drop_table("followers")
