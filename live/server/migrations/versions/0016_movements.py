"""Every change of a pile leaves a row; what there is already is where the log begins."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0016"
down_revision: Final = "0015"
branch_labels: Final = None
depends_on: Final = None

PILES: Final = ("free", "held", "sold")
REASONS: Final = (
    *("opening", "hold", "sell", "release", "expire", "restock", "correction", "import"),
)


def upgrade() -> None:
    """Create the log and the memory of its recounts."""
    known = ", ".join(f"'{reason}'" for reason in REASONS)
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        *(sa.Column(f"{pile}_change", sa.Integer(), nullable=False) for pile in PILES),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stock_movements"),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name="fk_stock_movements_sku"),
        sa.CheckConstraint(f"reason IN ({known})", name="ck_stock_movements_known_reason"),
    )
    op.create_index("ix_stock_movements_sku_id", "stock_movements", ["sku", "id"])
    by_key = sa.text("reason IN ('restock', 'correction', 'import')")
    op.create_index(
        *("uq_stock_movements_key", "stock_movements", ["sku", "ref"]),
        unique=True,
        postgresql_where=by_key,
    )
    op.execute(
        "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
        " SELECT id, 'opening', product, free, held, sold FROM skus"
    )
    op.create_table(
        "stock_recounts",
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("movement", sa.BigInteger(), nullable=False),
        *(sa.Column(pile, sa.BigInteger(), nullable=False) for pile in PILES),
        sa.PrimaryKeyConstraint("sku", name="pk_stock_recounts"),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name="fk_stock_recounts_sku"),
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("stock_recounts")
    op.drop_table("stock_movements")
