"""The table of shows. Times are timestamptz; of a publish key only the SHA-256 is there."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

metadata = sa.MetaData()

shows = sa.Table(
    "shows",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("store", sa.Text, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("starts_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("started_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("ended_at", sa.TIMESTAMP(timezone=True)),
    sa.Column("lineup", ARRAY(sa.Text), nullable=False),
    sa.Column("pinned", sa.Text),
    sa.Column("key_digest", sa.LargeBinary),
    sa.Column(
        "created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()
    ),
    sa.CheckConstraint("stage IN ('scheduled', 'live', 'ended')", name="shows_stage"),
)
