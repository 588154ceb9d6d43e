"""Cart: stores, products, holds, orders, payments, the outbox, and the sandbox's own memory."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None

TABLES: Final = (
    "stores",
    "products",
    "pictures",
    "orders",
    "order_lines",
    "holds",
    "payments",
    "cart_outbox",
    "sandbox_payments",
    "sandbox_notices",
)


def upgrade() -> None:
    """Create cart's tables."""
    _create_catalogue()
    _create_orders()
    _create_holds()
    _create_payments()
    _create_sandbox()


def downgrade() -> None:
    """Drop cart's tables, last first."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_catalogue() -> None:
    op.create_table(
        "stores",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("story", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("slug", name="pk_stores"),
    )
    op.create_index("ix_stores_owner", "stores", ["owner"])
    op.create_table(
        "products",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("limit_per_buyer", sa.Integer(), nullable=True),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("picture_etag", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "free >= 0 AND held >= 0 AND sold >= 0", name="ck_products_nothing_owed"
        ),
        sa.CheckConstraint("on_hand = free + held + sold", name="ck_products_balanced"),
        sa.CheckConstraint("price_minor > 0", name="ck_products_price"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_products_store"),
        sa.PrimaryKeyConstraint("id", name="pk_products"),
    )
    op.create_index("ix_products_store", "products", ["store"])
    op.create_table(
        "pictures",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_pictures_product"),
        sa.PrimaryKeyConstraint("product", name="pk_pictures"),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("recipient_phone", sa.Text(), nullable=False),
        sa.Column("recipient_address", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('placed', 'paying', 'paid', 'cancelled', 'expired')",
            name="ck_orders_known_state",
        ),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_orders_store"),
        sa.PrimaryKeyConstraint("id", name="pk_orders"),
        sa.UniqueConstraint("buyer", "idempotency_key", name="uq_orders_buyer_idempotency_key"),
    )
    op.create_index("ix_orders_buyer_created_at", "orders", ["buyer", "created_at"])
    op.create_index("ix_orders_store_created_at", "orders", ["store", "created_at"])
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_order_lines_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_lines_order_id"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_order_lines_product"),
        sa.PrimaryKeyConstraint("order_id", "position", name="pk_order_lines"),
    )


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("show", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('held', 'ordered', 'paying', 'sold', 'released', 'expired')",
            name="ck_holds_known_state",
        ),
        sa.CheckConstraint("quantity > 0", name="ck_holds_quantity"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_holds_order_id"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_holds_product"),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.UniqueConstraint("buyer", "idempotency_key", name="uq_holds_buyer_idempotency_key"),
    )
    op.create_index(
        "ix_holds_expires_at",
        "holds",
        ["expires_at"],
        postgresql_where=sa.text("state IN ('held', 'ordered')"),
    )
    op.create_index("ix_holds_order_id", "holds", ["order_id"])
    op.create_index(
        "ix_holds_product_buyer",
        "holds",
        ["product", "buyer"],
        postgresql_where=sa.text("state IN ('held', 'ordered', 'paying', 'sold')"),
    )


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ask_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.CheckConstraint(
            "state IN ('created', 'claimed', 'unknown', 'confirmed', 'declined', 'voiding',"
            " 'voided')",
            name="ck_payments_known_state",
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_payments_order_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
    )
    op.create_index(
        "ix_payments_ask_at",
        "payments",
        ["ask_at"],
        postgresql_where=sa.text("state IN ('created', 'claimed', 'unknown', 'voiding')"),
    )
    op.create_index("ix_payments_order_id", "payments", ["order_id"])
    op.create_index(
        "uq_payments_open",
        "payments",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created', 'claimed', 'unknown')"),
    )
    op.create_table(
        "cart_outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cart_outbox"),
    )


def _create_sandbox() -> None:
    op.create_table(
        "sandbox_payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("return_path", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("silent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_payments"),
    )
    op.create_table(
        "sandbox_notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "post_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["payment"], ["sandbox_payments.id"], name="fk_sandbox_notices_payment"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_notices"),
    )
    op.create_index("ix_sandbox_notices_post_at", "sandbox_notices", ["post_at"])
