"""Auctions and their bids. The database refuses a second open auction in a show, two bids of one
number or of one key, and a leader who would pay more than it said.
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

OPEN: Final = text("state = 'open'")

auctions = Table(
    "auctions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("show", Text, nullable=False),
    Column("store", Text, ForeignKey("stores.slug"), nullable=False),
    Column("seller", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("product", Text, ForeignKey("products.id"), nullable=False),
    Column("sku", Text, ForeignKey("skus.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("start_minor", BigInteger, nullable=False),
    Column("increments", Text, nullable=False),
    Column("counter_bid_ms", Integer, nullable=False),
    Column("sudden_death", Boolean, nullable=False),
    Column("claim_ms", Integer, nullable=False),
    Column("to_runner_up", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("sequence", Integer, nullable=False, server_default=text("0")),
    Column("bids", Integer, nullable=False, server_default=text("0")),
    Column("leader", Text),
    Column("leader_name", Text),
    Column("leader_max_minor", BigInteger),
    # The lot waits in this hold; it is written after the auction that must be the show's only one.
    Column(
        "hold",
        Text,
        ForeignKey("holds.id", deferrable=True, initially="DEFERRED"),
        nullable=False,
        unique=True,
    ),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("seller", "idempotency_key"),
    CheckConstraint(
        "state IN ('open', 'won', 'offered', 'unsold', 'cancelled')", name="known_state"
    ),
    CheckConstraint("quantity > 0 AND start_minor > 0", name="lot"),
    CheckConstraint(
        "(leader IS NULL) = (leader_max_minor IS NULL) AND price_minor >= start_minor"
        " AND price_minor <= coalesce(leader_max_minor, start_minor)",
        name="price",
    ),
    Index("uq_auctions_open", "show", unique=True, postgresql_where=OPEN),
    Index("ix_auctions_ends_at", "ends_at", postgresql_where=OPEN),
    Index("ix_auctions_product", "product", postgresql_where=OPEN),
    Index("ix_auctions_show_created_at", "show", "created_at"),
)

auction_bids = Table(
    "auction_bids",
    metadata,
    Column("auction", Text, ForeignKey("auctions.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("buyer", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("is_max", Boolean, nullable=False),
    Column("bid_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    UniqueConstraint("auction", "buyer", "idempotency_key"),
    Index("ix_auction_bids_buyer", "buyer"),
)
