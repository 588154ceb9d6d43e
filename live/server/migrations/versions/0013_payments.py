"""What a provider calls a payment is kept; the sandbox has more tricks than one."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0013"
down_revision: Final = "0012"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add what providers call payments, and the sandbox's tricks."""
    op.add_column(
        "payments", sa.Column("reference", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "sandbox_payments",
        sa.Column("trick", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.execute("UPDATE sandbox_payments SET trick = 'silent' WHERE silent")
    op.drop_column("sandbox_payments", "silent")
    now = sa.text("now()")
    op.add_column(
        "sandbox_payments",
        sa.Column("since", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_column("sandbox_payments", "since")
    op.add_column(
        "sandbox_payments",
        sa.Column("silent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.execute("UPDATE sandbox_payments SET silent = trick = 'silent'")
    op.drop_column("sandbox_payments", "trick")
    op.drop_column("payments", "reference")
