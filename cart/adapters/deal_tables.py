"""The table of deals, and where shows sell by codes. One product has one open deal, and no deal
gives away more than it has: the database itself refuses."""

from typing import Final

from sqlalchemy import (
    ARRAY,
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

RULES: Final = "state IN ('announced', 'running') OR (state = 'ended' AND shuts)"
"""Whether a deal has a say in a price."""

deals = Table(
    "deals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False),
    Column("show", Text, nullable=False),
    Column("product", Text, ForeignKey("products.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("price_minor", BigInteger),
    Column("percent_off", Integer),
    Column("skus", ARRAY(Text), nullable=False),
    Column("units", Integer),
    Column("taken", Integer, nullable=False),
    Column("limit_per_buyer", Integer),
    Column("shuts", Boolean, nullable=False),
    Column("length_ms", BigInteger),
    Column("starts_at", DateTime(timezone=True)),
    Column("ends_at", DateTime(timezone=True)),
    Column("version", BigInteger, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("show", "idempotency_key"),
    CheckConstraint("kind IN ('live', 'flash')", name="known_kind"),
    CheckConstraint("state IN ('announced', 'running', 'ended', 'cancelled')", name="known_state"),
    CheckConstraint("(price_minor IS NULL) <> (percent_off IS NULL)", name="one_price"),
    CheckConstraint("taken >= 0 AND taken <= units", name="within_units"),
    Index("ix_deals_show_created_at", "show", "created_at"),
    Index(
        "uq_deals_open",
        "product",
        unique=True,
        postgresql_where=text("state IN ('announced', 'running')"),
    ),
    Index("ix_deals_ruling", "product", postgresql_where=text(RULES)),
)

code_sales = Table(
    "code_sales",
    metadata,
    Column("show", Text, primary_key=True),
    Column("open", Boolean, nullable=False),
)
