"""Tables of refunds. A payment's `refunded_minor` is bounded by its amount, so that no two refunds,
however they cross, give back more than came.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cart.adapters.tables import NOW, metadata

refunds: Final = Table(
    "refunds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", Text, ForeignKey("orders.id"), nullable=False),
    Column("payment", Text, ForeignKey("payments.id"), index=True),
    Column("idempotency_key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("restocked", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("asked", Integer, nullable=False, server_default=text("0")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("ask_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("order_id", "by", "idempotency_key"),
    CheckConstraint(
        "state IN ('requested', 'sent', 'unknown', 'done', 'failed')", name="known_state"
    ),
    CheckConstraint("amount_minor >= 0", name="amount"),
    CheckConstraint("payment IS NOT NULL OR amount_minor = 0", name="from_a_payment"),
    Index(
        "ix_refunds_ask_at",
        "ask_at",
        postgresql_where=text("state IN ('requested', 'sent', 'unknown')"),
    ),
)

refund_lines: Final = Table(
    "refund_lines",
    metadata,
    Column("refund", Text, ForeignKey("refunds.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("quantity", Integer, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)

sandbox_refunds: Final = Table(
    "sandbox_refunds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("payment", Text, ForeignKey("sandbox_payments.id"), nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("going", Text, nullable=False),
)
