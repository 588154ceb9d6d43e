"""The questions viewers ask, and their answers."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None

MOMENT: Final = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "chat_questions",
        sa.Column("number", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("show", sa.Text, nullable=False),
        sa.Column("store", sa.Text, nullable=False),
        sa.Column("asker", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("product", sa.Text),
        sa.Column("handed_over", sa.Boolean, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_at", MOMENT),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'answered_live', 'answered_text', 'dismissed')",
            name="chat_questions_state",
        ),
        sa.CheckConstraint(
            "(answer IS NOT NULL) = (state = 'answered_text')", name="chat_questions_answer"
        ),
    )
    op.create_index("chat_questions_by_show", "chat_questions", ["show", "state", "number"])
    about = ["product", "state", "settled_at"]
    op.create_index("chat_questions_by_product", "chat_questions", about)
    op.create_index("chat_questions_by_asker", "chat_questions", ["asker", "asked_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("chat_questions")
