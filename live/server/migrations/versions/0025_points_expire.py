"""Points lie in lots, which may expire. What is there already stays, as it was given."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0025"
down_revision: Final = "0024"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create lots and their uses, and lay what is ready, set aside or spent into them."""
    op.add_column("stores", sa.Column("points_days", sa.Integer()))
    op.add_column("point_earnings", sa.Column("days", sa.Integer()))
    op.create_table(
        "point_lots",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("ready_minor", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("order_id", name="pk_point_lots"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_point_lots_order_id"),
        sa.CheckConstraint("ready_minor >= 0", name="ck_point_lots_ready"),
    )
    op.create_index("ix_point_lots_buyer", "point_lots", ["buyer"])
    op.create_index(
        "ix_point_lots_expires_at",
        "point_lots",
        ["expires_at"],
        postgresql_where=sa.text("ready_minor > 0"),
    )
    op.create_table(
        "point_uses",
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "lot", name="pk_point_uses"),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_point_uses_order_id"),
        sa.ForeignKeyConstraint(["lot"], ["point_lots.order_id"], name="fk_point_uses_lot"),
        sa.CheckConstraint("amount_minor >= 0", name="ck_point_uses_amount"),
    )
    # Whatever a buyer has now lies in the lot of the last of their orders that is ripe.
    op.execute(
        "INSERT INTO point_lots (order_id, buyer, store, ready_minor)"
        " SELECT DISTINCT ON (e.buyer) e.order_id, e.buyer, e.store, w.ready_minor"
        " FROM point_earnings e JOIN point_wallets w ON w.buyer = e.buyer"
        " WHERE e.ripe ORDER BY e.buyer, e.ripe_at DESC, e.order_id"
    )
    op.execute(
        "INSERT INTO point_uses (order_id, lot, amount_minor)"
        " SELECT t.order_id, l.order_id, sum(CASE t.reason WHEN 'reserve' THEN t.amount_minor"
        " ELSE -t.amount_minor END) AS taken FROM point_transfers t"
        " JOIN point_lots l ON l.buyer = t.buyer"
        " WHERE t.reason IN ('reserve', 'return', 'refund') GROUP BY t.order_id, l.order_id"
        " HAVING sum(CASE t.reason WHEN 'reserve' THEN t.amount_minor"
        " ELSE -t.amount_minor END) > 0"
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("point_uses")
    op.drop_table("point_lots")
    op.drop_column("point_earnings", "days")
    op.drop_column("stores", "points_days")
