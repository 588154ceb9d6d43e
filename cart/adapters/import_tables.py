"""Which sheets were done, and what was told of them."""

from sqlalchemy import Column, DateTime, ForeignKey, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from cart.adapters.tables import NOW, metadata

stock_imports = Table(
    "stock_imports",
    metadata,
    Column("store", Text, ForeignKey("stores.slug"), primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("report", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
)
