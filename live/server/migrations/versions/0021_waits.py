"""Buyers wait for what is sold out, and are offered what becomes free."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0021"
down_revision: Final = "0020"
branch_labels: Final = None
depends_on: Final = None

STATES: Final = "'waiting', 'offered', 'taken', 'declined', 'expired', 'left', 'passed_over'"


def upgrade() -> None:
    """Make room for those who wait."""
    op.create_table(
        "waits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("show", sa.Text()),
        sa.Column("offer_ms", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name="pk_waits"),
        sa.ForeignKeyConstraint(["sku"], ["skus.id"], name="fk_waits_sku"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_waits_product"),
        sa.UniqueConstraint("buyer", "idempotency_key", name="uq_waits_buyer_idempotency_key"),
        sa.CheckConstraint("quantity > 0", name="ck_waits_quantity"),
        sa.CheckConstraint(f"state IN ({STATES})", name="ck_waits_known_state"),
    )
    op.create_index(
        "uq_waits_live",
        "waits",
        ["buyer", "sku"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
    op.create_index(
        "ix_waits_line",
        "waits",
        ["sku", "place"],
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    """Send everybody away."""
    op.drop_table("waits")
