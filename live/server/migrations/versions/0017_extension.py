"""A hold may be given more time, once."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0017"
down_revision: Final = "0016"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Remember whether it was."""
    no = sa.text("false")
    op.add_column("holds", sa.Column("extended", sa.Boolean(), server_default=no, nullable=False))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("holds", "extended")
