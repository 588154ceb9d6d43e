"""Tables of coupons, points and addresses. The database itself refuses a coupon used too often, a
purse in debt and a deed done twice.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from cart.adapters.tables import NOW, metadata

coupons: Final = Table(
    "coupons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False),
    Column("code", Text, nullable=False),
    Column("percent", Integer),
    Column("cap_minor", BigInteger),
    Column("amount_minor", BigInteger),
    Column("minimum_minor", BigInteger, nullable=False),
    Column("starts_at_ms", BigInteger),
    Column("ends_at_ms", BigInteger),
    Column("uses_limit", Integer),
    Column("uses_per_buyer", Integer, nullable=False),
    Column("show", Text),
    Column("used", Integer, nullable=False, server_default=text("0")),
    Column("ended", Boolean, nullable=False, server_default=false()),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("store", "code"),
    CheckConstraint("num_nonnulls(percent, amount_minor) = 1", name="gives_one_thing"),
    CheckConstraint("percent BETWEEN 1 AND 100", name="percent"),
    CheckConstraint("used >= 0 AND (uses_limit IS NULL OR used <= uses_limit)", name="uses"),
)

coupon_uses: Final = Table(
    "coupon_uses",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("coupon", Text, ForeignKey("coupons.id"), nullable=False),
    Column("buyer", Text, nullable=False),
    Column("given_back", Boolean, nullable=False, server_default=false()),
    Index(
        "ix_coupon_uses_coupon_buyer", "coupon", "buyer", postgresql_where=text("NOT given_back")
    ),
)

point_wallets: Final = Table(
    "point_wallets",
    metadata,
    Column("buyer", Text, primary_key=True),
    Column("ready_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("pending_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("reserved_minor", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(
        "ready_minor >= 0 AND pending_minor >= 0 AND reserved_minor >= 0", name="nothing_owed"
    ),
)

point_transfers: Final = Table(
    "point_transfers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("ref", Text, nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("buyer", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
    CheckConstraint("amount_minor > 0 AND source <> target", name="moves"),
    Index("ix_point_transfers_buyer_id", "buyer", "id"),
)

point_earnings: Final = Table(
    "point_earnings",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("buyer", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("left_minor", BigInteger, nullable=False),
    Column("ripe", Boolean, nullable=False, server_default=false()),
    Column("ripe_at", DateTime(timezone=True), nullable=False),
    Column("days", Integer),
    CheckConstraint("left_minor >= 0", name="left"),
    Index("ix_point_earnings_ripe_at", "ripe_at", postgresql_where=text("NOT ripe")),
)

point_lots: Final = Table(
    "point_lots",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("buyer", Text, nullable=False),
    Column("store", Text, nullable=False),
    Column("ready_minor", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    CheckConstraint("ready_minor >= 0", name="ready"),
    Index("ix_point_lots_buyer", "buyer"),
    Index("ix_point_lots_expires_at", "expires_at", postgresql_where=text("ready_minor > 0")),
)

point_uses: Final = Table(
    "point_uses",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("lot", Text, ForeignKey("point_lots.order_id"), primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    CheckConstraint("amount_minor >= 0", name="amount"),
)

addresses: Final = Table(
    "addresses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("usual", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("person", "name", "phone", "postcode", "address"),
    Index("uq_addresses_usual", "person", unique=True, postgresql_where=text("usual")),
)
