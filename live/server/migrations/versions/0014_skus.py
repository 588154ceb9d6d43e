"""Units belong to SKUs: a product has one for each choice of its options, or just one."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0014"
down_revision: Final = "0013"
branch_labels: Final = None
depends_on: Final = None

PILES: Final = ("on_hand", "free", "held", "sold")


def upgrade() -> None:
    """Give every product its one SKU, and what was held or ordered of it that SKU."""
    texts = postgresql.ARRAY(sa.Text())
    none = sa.text("'{}'")
    op.add_column("products", sa.Column("option_names", texts, nullable=False, server_default=none))
    op.alter_column("products", "option_names", server_default=None)
    _create_skus(texts)
    op.execute(
        "INSERT INTO skus (id, product, position, store, options, price_minor,"
        " on_hand, free, held, sold)"
        " SELECT id, id, 0, store, '{}', price_minor, on_hand, free, held, sold FROM products"
    )
    for column in (*PILES, "price_minor"):
        op.drop_column("products", column)
    for table in ("holds", "order_lines"):
        op.add_column(table, sa.Column("sku", sa.Text()))
        rows = sa.table(table, sa.column("sku"), sa.column("product"))
        op.execute(sa.update(rows).values(sku=rows.c.product))
        op.alter_column(table, "sku", nullable=False)
        op.create_foreign_key(f"fk_{table}_sku", table, "skus", ["sku"], ["id"])
        op.add_column(table, sa.Column("options", texts, nullable=False, server_default=none))
        op.alter_column(table, "options", server_default=None)
    op.drop_constraint("uq_holds_buyer_idempotency_key", "holds")
    op.create_unique_constraint(
        "uq_holds_buyer_idempotency_key_sku", "holds", ["buyer", "idempotency_key", "sku"]
    )


def downgrade() -> None:
    """Sum the SKUs up; refused where one request held several of them."""
    op.drop_constraint("uq_holds_buyer_idempotency_key_sku", "holds")
    op.create_unique_constraint(
        "uq_holds_buyer_idempotency_key", "holds", ["buyer", "idempotency_key"]
    )
    for table in ("order_lines", "holds"):
        op.drop_column(table, "options")
        op.drop_column(table, "sku")
    for column in PILES:
        op.add_column("products", sa.Column(column, sa.Integer()))
    op.add_column("products", sa.Column("price_minor", sa.BigInteger()))
    op.execute(
        "UPDATE products SET on_hand = sums.on_hand, free = sums.free, held = sums.held,"
        " sold = sums.sold, price_minor = sums.price_minor"
        " FROM (SELECT product, sum(on_hand) AS on_hand, sum(free) AS free, sum(held) AS held,"
        " sum(sold) AS sold, min(price_minor) AS price_minor FROM skus GROUP BY product) AS sums"
        " WHERE sums.product = products.id"
    )
    for column in (*PILES, "price_minor"):
        op.alter_column("products", column, nullable=False)
    _check("products")
    op.drop_table("skus")
    op.drop_column("products", "option_names")


def _create_skus(texts: sa.ARRAY[str]) -> None:
    op.create_table(
        "skus",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("options", texts, nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        *(sa.Column(pile, sa.Integer(), nullable=False) for pile in PILES),
        sa.PrimaryKeyConstraint("id", name="pk_skus"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_skus_product"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_skus_store"),
        sa.UniqueConstraint("product", "position", name="uq_skus_product_position"),
        sa.UniqueConstraint("product", "options", name="uq_skus_product_options"),
        sa.UniqueConstraint("store", "code", name="uq_skus_store_code"),
    )
    _check("skus")


def _check(table: str) -> None:
    """What must always be true of units and prices."""
    op.create_check_constraint(f"ck_{table}_balanced", table, "on_hand = free + held + sold")
    op.create_check_constraint(
        f"ck_{table}_nothing_owed", table, "free >= 0 AND held >= 0 AND sold >= 0"
    )
    op.create_check_constraint(f"ck_{table}_price", table, "price_minor > 0")
