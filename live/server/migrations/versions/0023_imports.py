"""Which sheets of products were done is kept."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0023"
down_revision: Final = "0022"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "stock_imports",
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("store", "idempotency_key", name="pk_stock_imports"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_stock_imports_store"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("stock_imports")
