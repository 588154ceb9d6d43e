"""The log of movements, and how far it has been recounted. Rows of the log are only ever added."""

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
    text,
)

from cart.adapters.tables import NOW, metadata

stock_movements = Table(
    "stock_movements",
    metadata,
    # no foreign key: as with holds, the SKU's product is locked
    Column("sku", Text, primary_key=True),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("free_change", Integer, nullable=False),
    Column("held_change", Integer, nullable=False),
    Column("sold_change", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
    CheckConstraint(
        "reason IN ('opening', 'hold', 'auction', 'sell', 'release', 'expire', 'restock',"
        " 'correction', 'import')",
        name="known_reason",
    ),
    Index(
        "uq_stock_movements_key",
        "sku",
        "ref",
        unique=True,
        postgresql_where=text("reason IN ('restock', 'correction', 'import')"),
    ),
)

stock_recounts = Table(
    "stock_recounts",
    metadata,
    Column("sku", Text, ForeignKey("skus.id"), primary_key=True),
    Column("movement", BigInteger, nullable=False),
    Column("free", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("sold", BigInteger, nullable=False),
)
