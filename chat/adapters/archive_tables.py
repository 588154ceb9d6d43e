"""The tables of what was said: one row for each saying, and one for each person who was erased.

A saying is known as deleted by the trail (`chat_deeds`), which has the deed before anybody is told.
"""

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

MOMENT: Final = sa.TIMESTAMP(timezone=True)

sayings = sa.Table(
    "chat_sayings",
    metadata,
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

erasures = sa.Table(
    "chat_erasures",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("until", MOMENT, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("sayings", sa.BigInteger, nullable=False),
)
