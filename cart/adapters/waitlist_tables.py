"""Who waits for which SKU. The database itself refuses a second live wait of a buyer for a SKU."""

from typing import Final

from sqlalchemy import (
    BigInteger,
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
    text,
)

from cart.adapters.tables import NOW, metadata
from cart.core.waitlist import WaitState

STATES: Final = ", ".join(f"'{state}'" for state in WaitState)

waits = Table(
    "waits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    Column("sku", Text, ForeignKey("skus.id"), nullable=False),
    Column("product", Text, ForeignKey("products.id"), nullable=False),
    Column("buyer", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("show", Text),
    Column("offer_ms", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("buyer", "idempotency_key"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(f"state IN ({STATES})", name="known_state"),
    Index(
        "uq_waits_live",
        "buyer",
        "sku",
        unique=True,
        postgresql_where=text("state IN ('waiting', 'offered')"),
    ),
    Index("ix_waits_line", "sku", "place", postgresql_where=text("state = 'waiting'")),
)
