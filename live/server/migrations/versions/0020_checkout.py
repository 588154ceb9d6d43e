"""Quotes, coupons, points, addresses and delivery terms."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0020"
down_revision: Final = "0019"
branch_labels: Final = None
depends_on: Final = None

AMOUNTS: Final = ("coupon_minor", "delivery_minor", "points_minor", "earns_minor")


def upgrade() -> None:
    """Take the step: orders of before cost their goods and nothing else, and have no postcode."""
    _store_terms()
    _order_amounts()
    _coupons()
    _points()
    op.create_table(
        "addresses",
        sa.Column("id", sa.Text, nullable=False),
        *(_text(name) for name in ("person", "name", "phone", "postcode", "address")),
        sa.Column("usual", sa.Boolean, nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
        sa.UniqueConstraint(
            *("person", "name", "phone", "postcode", "address"),
            name="uq_addresses_person_name_phone_postcode_address",
        ),
    )
    usual = sa.text("usual")
    op.create_index(
        "uq_addresses_usual", "addresses", ["person"], unique=True, postgresql_where=usual
    )


def downgrade() -> None:
    """Take it back."""
    for table in (
        *("addresses", "point_earnings", "point_transfers", "point_wallets"),
        *("coupon_uses", "coupons"),
    ):
        op.drop_table(table)
    for name in ("coupon_minor", "points_minor"):
        op.drop_column("order_lines", name)
    for name in ("adds_up", "total"):
        op.drop_constraint(f"ck_orders_{name}", "orders")
    for name in ("goods_minor", "coupon", *AMOUNTS, "recipient_postcode"):
        op.drop_column("orders", name)
    for name in ("fee_minor", "free_from_minor", "remote_fee_minor", "days_least", "days_most"):
        op.drop_column("stores", f"delivery_{name}")
    op.drop_column("stores", "points_percent")


def _store_terms() -> None:
    percent = sa.Column("points_percent", sa.Integer, nullable=False, server_default=sa.text("1"))
    op.add_column("stores", percent)
    for name in ("fee_minor", "free_from_minor", "remote_fee_minor"):
        op.add_column("stores", sa.Column(f"delivery_{name}", sa.BigInteger))
    for name in ("days_least", "days_most"):
        op.add_column("stores", sa.Column(f"delivery_{name}", sa.Integer))


def _order_amounts() -> None:
    op.add_column("orders", sa.Column("goods_minor", sa.BigInteger))
    op.execute("UPDATE orders SET goods_minor = total_minor")
    op.alter_column("orders", "goods_minor", nullable=False)
    op.add_column("orders", sa.Column("coupon", sa.Text))
    for name in AMOUNTS:
        op.add_column("orders", _zero(name))
    op.add_column("orders", sa.Column("recipient_postcode", sa.Text))
    op.execute("UPDATE orders SET recipient_postcode = ''")
    op.alter_column("orders", "recipient_postcode", nullable=False)
    op.create_check_constraint(
        "ck_orders_adds_up",
        "orders",
        "total_minor = goods_minor - coupon_minor + delivery_minor - points_minor",
    )
    op.create_check_constraint("ck_orders_total", "orders", "total_minor >= 0")
    for name in ("coupon_minor", "points_minor"):
        op.add_column("order_lines", _zero(name))


def _coupons() -> None:
    op.create_table(
        "coupons",
        *(_text(name) for name in ("id", "store", "code")),
        sa.Column("percent", sa.Integer),
        sa.Column("cap_minor", sa.BigInteger),
        sa.Column("amount_minor", sa.BigInteger),
        sa.Column("minimum_minor", sa.BigInteger, nullable=False),
        sa.Column("starts_at_ms", sa.BigInteger),
        sa.Column("ends_at_ms", sa.BigInteger),
        sa.Column("uses_limit", sa.Integer),
        sa.Column("uses_per_buyer", sa.Integer, nullable=False),
        sa.Column("show", sa.Text),
        sa.Column("used", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_coupons_store"),
        sa.UniqueConstraint("store", "code", name="uq_coupons_store_code"),
        sa.CheckConstraint(
            "num_nonnulls(percent, amount_minor) = 1", name="ck_coupons_gives_one_thing"
        ),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name="ck_coupons_percent"),
        sa.CheckConstraint(
            "used >= 0 AND (uses_limit IS NULL OR used <= uses_limit)", name="ck_coupons_uses"
        ),
    )
    op.create_table(
        "coupon_uses",
        *(_text(name) for name in ("order_id", "coupon", "buyer")),
        sa.Column("given_back", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("order_id", name="pk_coupon_uses"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_coupon_uses_order_id"),
        sa.ForeignKeyConstraint(["coupon"], ["coupons.id"], name="fk_coupon_uses_coupon"),
    )
    op.create_index(
        "ix_coupon_uses_coupon_buyer",
        "coupon_uses",
        ["coupon", "buyer"],
        postgresql_where=sa.text("NOT given_back"),
    )


def _points() -> None:
    op.create_table(
        "point_wallets",
        _text("buyer"),
        *(_zero(name) for name in ("ready_minor", "pending_minor", "reserved_minor")),
        sa.PrimaryKeyConstraint("buyer", name="pk_point_wallets"),
        sa.CheckConstraint(
            "ready_minor >= 0 AND pending_minor >= 0 AND reserved_minor >= 0",
            name="ck_point_wallets_nothing_owed",
        ),
    )
    op.create_table(
        "point_transfers",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        *(_text(n) for n in ("ref", "reason", "buyer", "store", "order_id", "source", "target")),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        _now("at"),
        sa.PrimaryKeyConstraint("id", name="pk_point_transfers"),
        sa.UniqueConstraint("ref", name="uq_point_transfers_ref"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_point_transfers_order_id"),
        sa.CheckConstraint(
            "amount_minor > 0 AND source <> target", name="ck_point_transfers_moves"
        ),
    )
    op.create_index("ix_point_transfers_order_id", "point_transfers", ["order_id"])
    op.create_index("ix_point_transfers_buyer_id", "point_transfers", ["buyer", "id"])
    op.create_table(
        "point_earnings",
        *(_text(name) for name in ("order_id", "buyer", "store")),
        sa.Column("left_minor", sa.BigInteger, nullable=False),
        sa.Column("ripe", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("ripe_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_point_earnings"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_point_earnings_order_id"),
        sa.CheckConstraint("left_minor >= 0", name="ck_point_earnings_left"),
    )
    op.create_index(
        "ix_point_earnings_ripe_at",
        "point_earnings",
        ["ripe_at"],
        postgresql_where=sa.text("NOT ripe"),
    )


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _zero(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
    )
