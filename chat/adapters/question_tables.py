"""The table of questions. `number` is their order; `key` is what makes a repeated one the same."""

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

MOMENT: Final = sa.TIMESTAMP(timezone=True)

questions = sa.Table(
    "chat_questions",
    metadata,
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
    sa.Index("chat_questions_by_show", "show", "state", "number"),
    sa.Index("chat_questions_by_product", "product", "state", "settled_at"),
    sa.Index("chat_questions_by_asker", "asker", "asked_at"),
)
