"""Deals of shows, holds at their prices, and which shows sell by codes."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: Final = "0019"
down_revision: Final = "0018"
branch_labels: Final = None
depends_on: Final = None

MOMENT: Final = sa.DateTime(timezone=True)
OPEN: Final = "state IN ('announced', 'running')"


def upgrade() -> None:
    """Create the tables, and let holds name their deal."""
    op.create_table(
        "deals",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("show", sa.Text, nullable=False),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("price_minor", sa.BigInteger),
        sa.Column("percent_off", sa.Integer),
        sa.Column("skus", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("units", sa.Integer),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("limit_per_buyer", sa.Integer),
        sa.Column("shuts", sa.Boolean, nullable=False),
        sa.Column("length_ms", sa.BigInteger),
        sa.Column("starts_at", MOMENT),
        sa.Column("ends_at", MOMENT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("id", name="pk_deals"),
        sa.ForeignKeyConstraint(["store"], ["stores.slug"], name="fk_deals_store"),
        sa.ForeignKeyConstraint(["product"], ["products.id"], name="fk_deals_product"),
        sa.UniqueConstraint("show", "idempotency_key", name="uq_deals_show_idempotency_key"),
        sa.CheckConstraint("kind IN ('live', 'flash')", name="ck_deals_known_kind"),
        sa.CheckConstraint(
            "state IN ('announced', 'running', 'ended', 'cancelled')", name="ck_deals_known_state"
        ),
        sa.CheckConstraint(
            "(price_minor IS NULL) <> (percent_off IS NULL)", name="ck_deals_one_price"
        ),
        sa.CheckConstraint("taken >= 0 AND taken <= units", name="ck_deals_within_units"),
    )
    op.create_index("ix_deals_show_created_at", "deals", ["show", "created_at"])
    op.create_index(
        "uq_deals_open", "deals", ["product"], unique=True, postgresql_where=sa.text(OPEN)
    )
    ruling = sa.text(f"{OPEN} OR (state = 'ended' AND shuts)")
    op.create_index("ix_deals_ruling", "deals", ["product"], postgresql_where=ruling)
    op.add_column("holds", sa.Column("deal", sa.Text))
    dealt = sa.text("deal IS NOT NULL")
    op.create_index("ix_holds_deal_buyer", "holds", ["deal", "buyer"], postgresql_where=dealt)
    op.create_table(
        "code_sales",
        sa.Column("show", sa.Text, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("show", name="pk_code_sales"),
    )


def downgrade() -> None:
    """Drop them; holds keep the prices they were made at."""
    op.drop_table("code_sales")
    op.drop_index("ix_holds_deal_buyer", "holds")
    op.drop_column("holds", "deal")
    op.drop_table("deals")
