"""The table of who follows which store."""

import sqlalchemy as sa

metadata = sa.MetaData()

followers = sa.Table(
    "followers",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("since", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("followers_by_account", "account", "since"),
)
