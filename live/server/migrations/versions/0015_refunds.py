"""Refunds, whole and part, and how much of a payment they give back."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0015"
down_revision: Final = "0014"
branch_labels: Final = None
depends_on: Final = None

UNSETTLED: Final = sa.text("state IN ('requested', 'sent', 'unknown')")


def upgrade() -> None:
    """Create the tables."""
    zero = sa.text("0")
    op.add_column(
        "payments",
        sa.Column("refunded_minor", sa.BigInteger(), server_default=zero, nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_payments_refunded"), "payments", "refunded_minor BETWEEN 0 AND amount_minor"
    )
    now = sa.text("now()")
    op.create_table(
        "refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text()),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("restocked", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked", sa.Integer(), server_default=zero, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_refunds_order_id"),
        sa.ForeignKeyConstraint(["payment"], ["payments.id"], name="fk_refunds_payment"),
        sa.PrimaryKeyConstraint("id", name="pk_refunds"),
        sa.UniqueConstraint(
            *("order_id", "by", "idempotency_key"), name="uq_refunds_order_id_by_idempotency_key"
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'sent', 'unknown', 'done', 'failed')",
            name=op.f("ck_refunds_known_state"),
        ),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_refunds_amount")),
        sa.CheckConstraint(
            "payment IS NOT NULL OR amount_minor = 0", name=op.f("ck_refunds_from_a_payment")
        ),
    )
    op.create_index("ix_refunds_payment", "refunds", ["payment"])
    op.create_index("ix_refunds_ask_at", "refunds", ["ask_at"], postgresql_where=UNSETTLED)
    op.create_table(
        "refund_lines",
        sa.Column("refund", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["refund"], ["refunds.id"], name="fk_refund_lines_refund"),
        sa.PrimaryKeyConstraint("refund", "position", name="pk_refund_lines"),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_refund_lines_quantity")),
    )
    op.create_table(
        "sandbox_refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("going", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment"], ["sandbox_payments.id"], name="fk_sandbox_refunds_payment"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_refunds"),
    )
    op.create_index("ix_sandbox_refunds_payment", "sandbox_refunds", ["payment"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("sandbox_refunds")
    op.drop_table("refund_lines")
    op.drop_table("refunds")
    op.drop_constraint(op.f("ck_payments_refunded"), "payments")
    op.drop_column("payments", "refunded_minor")
