"""The log of movements is looked up by SKU alone: one index of it is enough."""

from typing import Final

from alembic import op

revision: Final = "0026"
down_revision: Final = "0025"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """A movement's key is its SKU and its number."""
    op.drop_constraint("pk_stock_movements", "stock_movements", type_="primary")
    op.drop_index("ix_stock_movements_sku_id", "stock_movements")
    op.create_primary_key("pk_stock_movements", "stock_movements", ["sku", "id"])


def downgrade() -> None:
    """The number alone, and an index beside it."""
    op.drop_constraint("pk_stock_movements", "stock_movements", type_="primary")
    op.create_index("ix_stock_movements_sku_id", "stock_movements", ["sku", "id"])
    op.create_primary_key("pk_stock_movements", "stock_movements", ["id"])
