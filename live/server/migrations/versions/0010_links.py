"""Rooms in which everybody may post links."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0010"
down_revision: Final = "0009"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the column."""
    column = sa.Column("links_allowed", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("chat_settings", column)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("chat_settings", "links_allowed")
