"""Cart's tables. The database itself refuses what must never be: a unit from nothing, two holds of
one SKU for one idempotency key, two open payments for one order.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    any_,
    cast,
    func,
    literal,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

metadata: Final = MetaData(naming_convention=NAMING)

NOW: Final = text("now()")


def _instant(name: str, *, nullable: bool = False, default: Any = None) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


stores = Table(
    "stores",
    metadata,
    Column("slug", Text, primary_key=True),
    Column("owner", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("story", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("points_percent", Integer, nullable=False, server_default=text("1")),
    Column("points_days", Integer),
    Column("delivery_fee_minor", BigInteger),
    Column("delivery_free_from_minor", BigInteger),
    Column("delivery_remote_fee_minor", BigInteger),
    Column("delivery_days_least", Integer),
    Column("delivery_days_most", Integer),
    _instant("created_at", default=NOW),
)

products = Table(
    "products",
    metadata,
    Column("id", Text, primary_key=True),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("limit_per_buyer", Integer),
    Column("option_names", ARRAY(Text), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("picture_etag", Text),
    # of the request that made it; none where a sheet did
    Column("idempotency_key", Text),
    Column("digest", Text),
    _instant("created_at", default=NOW),
    UniqueConstraint("store", "idempotency_key"),
)

skus = Table(
    "skus",
    metadata,
    Column("id", Text, primary_key=True),
    Column("product", Text, ForeignKey("products.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False),
    Column("options", ARRAY(Text), nullable=False),
    Column("code", Text),
    Column("price_minor", BigInteger, nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("free", Integer, nullable=False),
    Column("held", Integer, nullable=False),
    Column("sold", Integer, nullable=False),
    UniqueConstraint("product", "position"),
    UniqueConstraint("product", "options"),
    UniqueConstraint("store", "code"),
    CheckConstraint("on_hand = free + held + sold", name="balanced"),
    CheckConstraint("free >= 0 AND held >= 0 AND sold >= 0", name="nothing_owed"),
    CheckConstraint("price_minor > 0", name="price"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("product", Text, ForeignKey("products.id"), primary_key=True),
    Column("etag", Text, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False),
    Column("buyer", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("goods_minor", BigInteger, nullable=False),
    Column("coupon", Text),
    Column("coupon_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("delivery_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("points_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("total_minor", BigInteger, nullable=False),
    Column("earns_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", Text, nullable=False),
    Column("recipient_name", Text, nullable=False),
    Column("recipient_phone", Text, nullable=False),
    Column("recipient_postcode", Text, nullable=False),
    Column("recipient_address", Text, nullable=False),
    _instant("created_at", default=NOW),
    _instant("expires_at"),
    UniqueConstraint("buyer", "idempotency_key"),
    CheckConstraint(
        "state IN ('placed', 'paying', 'paid', 'cancelled', 'expired')", name="known_state"
    ),
    CheckConstraint(
        "total_minor = goods_minor - coupon_minor + delivery_minor - points_minor",
        name="adds_up",
    ),
    CheckConstraint("total_minor >= 0", name="total"),
    Index("ix_orders_buyer_created_at", "buyer", "created_at"),
    Index("ix_orders_store_created_at", "store", "created_at"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sku", Text, ForeignKey("skus.id"), nullable=False),
    Column("product", Text, ForeignKey("products.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("options", ARRAY(Text), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("coupon_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("points_minor", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint("quantity > 0", name="quantity"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("buyer", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    # no foreign keys: the product is locked by who writes, and to look it up for each row of a
    # batch would be half of what the row costs; products and SKUs are never deleted
    Column("sku", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("options", ARRAY(Text), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("deal", Text),
    Column("show", Text),
    Column("order_id", Text, ForeignKey("orders.id")),
    Column("state", Text, nullable=False),
    Column("extended", Boolean, nullable=False, server_default=text("false")),
    _instant("created_at", default=NOW),
    _instant("expires_at"),
    UniqueConstraint("buyer", "idempotency_key", "sku"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(
        "state IN ('held', 'ordered', 'paying', 'sold', 'released', 'expired')",
        name="known_state",
    ),
    Index("ix_holds_order_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
    Index(
        "ix_holds_expires_at", "expires_at", postgresql_where=text("state IN ('held', 'ordered')")
    ),
    Index("ix_holds_deal_buyer", "deal", "buyer", postgresql_where=text("deal IS NOT NULL")),
    Index(
        "ix_holds_product_buyer",
        "product",
        "buyer",
        postgresql_where=text("state IN ('held', 'ordered', 'paying', 'sold')"),
    ),
)

payments = Table(
    "payments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False, index=True),
    Column("provider", Text, nullable=False),
    Column("reference", Text, nullable=False, server_default=text("''")),
    Column("amount_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", Integer, nullable=False, server_default=text("0")),
    _instant("created_at", default=NOW),
    _instant("claimed_at", nullable=True),
    _instant("ask_at", default=NOW),
    CheckConstraint(
        "state IN ('created', 'claimed', 'unknown', 'confirmed', 'declined', 'voiding', 'voided')",
        name="known_state",
    ),
    CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
    Index(
        "uq_payments_open",
        "order_id",
        unique=True,
        postgresql_where=text("state IN ('created', 'claimed', 'unknown')"),
    ),
    Index(
        "ix_payments_ask_at",
        "ask_at",
        postgresql_where=text("state IN ('created', 'claimed', 'unknown', 'voiding')"),
    ),
)

outbox = Table(
    "cart_outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("store", Text, nullable=False),
    Column("event", JSONB, nullable=False),
)

sandbox_payments = Table(
    "sandbox_payments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("return_path", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("trick", Text, nullable=False, server_default=text("''")),
    _instant("since", default=NOW),
)

sandbox_notices = Table(
    "sandbox_notices",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("payment", Text, ForeignKey("sandbox_payments.id"), nullable=False),
    Column("standing", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    _instant("post_at", default=NOW),
    Index("ix_sandbox_notices_post_at", "post_at"),
)


def milliseconds(instant: ColumnElement[Any] | Column[Any]) -> ColumnElement[int]:
    """An instant as whole milliseconds since the epoch."""
    return cast(func.floor(func.extract("epoch", instant) * 1000), BigInteger)


def among(column: ColumnElement[Any] | Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether a column has one of many values, as one parameter: the same statement for any number
    of them, which SQLAlchemy compiles, and PostgreSQL parses, once.
    """
    return column == any_(literal(list(values), ARRAY(column.type)))
