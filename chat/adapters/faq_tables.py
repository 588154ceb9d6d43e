"""The table of stores' FAQs. A store is named by its slug; entries are `{question, answer}`."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

faqs = sa.Table(
    "faqs",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("switched_on", sa.Boolean, nullable=False),
    sa.Column("entries", JSONB, nullable=False),
    sa.Column(
        "saved_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    ),
)
