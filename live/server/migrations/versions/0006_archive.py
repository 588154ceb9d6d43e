"""What was said in rooms, and who was erased from it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "chat_sayings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("show", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("badges", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reply_to", sa.Text),
        sa.Column("shadowed", sa.Boolean, nullable=False),
        sa.Index("chat_sayings_by_show", "show", "number", "id"),
        sa.Index("chat_sayings_by_author", "author", "at"),
        sa.Index("chat_sayings_by_age", "at"),
    )
    op.create_table(
        "chat_erasures",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("sayings", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "chat_deeds_by_message",
        "chat_deeds",
        ["message"],
        postgresql_where=sa.text("message IS NOT NULL"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("chat_deeds_by_message", "chat_deeds")
    op.drop_table("chat_erasures")
    op.drop_table("chat_sayings")
