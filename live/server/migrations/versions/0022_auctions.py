"""Auctions of shows, and the bids in them."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0022"
down_revision: Final = "0021"
branch_labels: Final = None
depends_on: Final = None

MOMENT: Final = sa.DateTime(timezone=True)
NOW: Final = sa.text("now()")
OPEN: Final = sa.text("state = 'open'")
REASONS: Final = (
    *("opening", "hold", "sell", "release", "expire"),
    *("restock", "correction", "import"),
)


def upgrade() -> None:
    """Create the tables; lots are held for a reason of their own."""
    _know_reasons("opening", "hold", "auction", *REASONS[2:])
    _create_auctions()
    op.create_table(
        "auction_bids",
        sa.Column("auction", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_max", sa.Boolean(), nullable=False),
        sa.Column("bid_at", MOMENT, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("auction", "sequence", name="pk_auction_bids"),
        sa.ForeignKeyConstraint(["auction"], ["auctions.id"], name="fk_auction_bids_auction"),
        sa.UniqueConstraint(
            *("auction", "buyer", "idempotency_key"),
            name="uq_auction_bids_auction_buyer_idempotency_key",
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("auction_bids")
    op.drop_table("auctions")
    op.execute("UPDATE stock_movements SET reason = 'hold' WHERE reason = 'auction'")
    _know_reasons(*REASONS)


def _know_reasons(*reasons: str) -> None:
    known = ", ".join(f"'{reason}'" for reason in reasons)
    op.drop_constraint("ck_stock_movements_known_reason", "stock_movements")
    op.create_check_constraint(
        "ck_stock_movements_known_reason", "stock_movements", f"reason IN ({known})"
    )


def _create_auctions() -> None:
    op.create_table(
        "auctions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("show", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("start_minor", sa.BigInteger(), nullable=False),
        sa.Column("increments", sa.Text(), nullable=False),
        sa.Column("counter_bid_ms", sa.Integer(), nullable=False),
        sa.Column("sudden_death", sa.Boolean(), nullable=False),
        sa.Column("claim_ms", sa.Integer(), nullable=False),
        sa.Column("to_runner_up", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("bids", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("leader", sa.Text()),
        sa.Column("leader_name", sa.Text()),
        sa.Column("leader_max_minor", sa.BigInteger()),
        sa.Column("hold", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", MOMENT, nullable=False, server_default=NOW),
        *_constraints(),
    )
    op.create_index("uq_auctions_open", "auctions", ["show"], unique=True, postgresql_where=OPEN)
    op.create_index("ix_auctions_ends_at", "auctions", ["ends_at"], postgresql_where=OPEN)
    op.create_index("ix_auctions_show_created_at", "auctions", ["show", "created_at"])


def _constraints() -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name="pk_auctions"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_auctions_store"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_auctions_product"),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name="fk_auctions_sku"),
        sa.ForeignKeyConstraint(
            *(["hold"], ["holds.id"]),
            name="fk_auctions_hold",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.UniqueConstraint("hold", name="uq_auctions_hold"),
        sa.UniqueConstraint("seller", "idempotency_key", name="uq_auctions_seller_idempotency_key"),
        sa.CheckConstraint(
            "state IN ('open', 'won', 'offered', 'unsold', 'cancelled')",
            name="ck_auctions_known_state",
        ),
        sa.CheckConstraint("quantity > 0 AND start_minor > 0", name="ck_auctions_lot"),
        sa.CheckConstraint(
            "(leader IS NULL) = (leader_max_minor IS NULL) AND price_minor >= start_minor"
            " AND price_minor <= coalesce(leader_max_minor, start_minor)",
            name="ck_auctions_price",
        ),
    ]
