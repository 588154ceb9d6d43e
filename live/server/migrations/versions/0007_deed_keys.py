"""A deed that was asked for twice is known by the request's key."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("chat_deeds", sa.Column("key", sa.Text))
    op.create_index(
        "chat_deeds_by_key",
        "chat_deeds",
        ["store", "actor", "key"],
        postgresql_where=sa.text("key IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("chat_deeds_by_key", "chat_deeds")
    op.drop_column("chat_deeds", "key")
