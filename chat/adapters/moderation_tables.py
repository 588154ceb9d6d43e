"""The room's tables: who moderates a store, its sanctions, a show's switches, reports, the trail.

Of sanctions and switches there is one row each, with a version that grows with every change; a
sanction that was lifted stays, so that its next version is higher.
"""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata: Final = sa.MetaData()

MOMENT: Final = sa.TIMESTAMP(timezone=True)

moderators = sa.Table(
    "chat_moderators",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("since", MOMENT, nullable=False),
)

sanctions = sa.Table(
    "chat_sanctions",
    metadata,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("until", MOMENT),
    sa.Column("lifted", sa.Boolean, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('mute', 'ban', 'shadow_ban')", name="chat_sanctions_kind"),
)

settings = sa.Table(
    "chat_settings",
    metadata,
    sa.Column("show", sa.Text, primary_key=True),
    sa.Column("slow_s", sa.Integer, nullable=False),
    sa.Column("buyers_only", sa.Boolean, nullable=False),
    sa.Column("followers_only", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("links_allowed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("frozen", sa.Boolean, nullable=False),
    sa.Column("pinned_saying", JSONB(none_as_null=True)),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.CheckConstraint("slow_s BETWEEN 0 AND 120", name="chat_settings_slow_s"),
    sa.Index("chat_settings_pinned", "show", postgresql_where=sa.text("pinned_saying IS NOT NULL")),
)

reports = sa.Table(
    "chat_reports",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("show", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reporter", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.UniqueConstraint("show", "message", "reporter", name="chat_reports_once"),
    sa.Index("chat_reports_by_author", "author", "at"),
    sa.Index("chat_reports_by_reporter", "reporter", "at"),
    sa.Index("chat_reports_with_text", "at", postgresql_where=sa.text("text <> ''")),
)

deeds = sa.Table(
    "chat_deeds",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("store", sa.Text, nullable=False),
    sa.Column("show", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("whom", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", MOMENT, nullable=False),
    sa.Column("key", sa.Text),
    sa.Index("chat_deeds_by_store", "store", "id"),
    sa.Index("chat_deeds_by_whom", "whom", "at", postgresql_where=sa.text("what = 'delete'")),
    sa.Index(
        "chat_deeds_with_text",
        "at",
        postgresql_where=sa.text("what = 'delete' AND detail <> ''"),
    ),
    sa.Index("chat_deeds_by_message", "message", postgresql_where=sa.text("message IS NOT NULL")),
    sa.Index(
        "chat_deeds_by_key",
        *("store", "actor", "key"),
        postgresql_where=sa.text("key IS NOT NULL"),
    ),
)
"""`key`: of the request that asked for the deed, where it may come twice."""
