"""What the ledger writes under a product's lock is not looked up once more for each row."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0018"
down_revision: Final = "0017"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Holds and movements no longer ask for their SKU; holds without an order are not indexed."""
    op.drop_constraint("fk_holds_sku", "holds", type_="foreignkey")
    op.drop_constraint("fk_holds_product", "holds", type_="foreignkey")
    op.drop_constraint("fk_stock_movements_sku", "stock_movements", type_="foreignkey")
    op.drop_index("ix_holds_order_id", "holds")
    op.create_index(
        *("ix_holds_order_id", "holds", ["order_id"]),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Look them up again."""
    op.drop_index("ix_holds_order_id", "holds")
    op.create_index("ix_holds_order_id", "holds", ["order_id"])
    op.create_foreign_key("fk_stock_movements_sku", "stock_movements", "skus", ["sku"], ["id"])
    op.create_foreign_key("fk_holds_product", "holds", "products", ["product"], ["id"])
    op.create_foreign_key("fk_holds_sku", "holds", "skus", ["sku"], ["id"])
