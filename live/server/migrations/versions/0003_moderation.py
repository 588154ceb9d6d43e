"""The room's rules: moderators, sanctions, switches, reports, and the trail of what was done."""

from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None

MOMENT: Final = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "chat_moderators",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "chat_sanctions",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("until", MOMENT),
        sa.Column("lifted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("kind IN ('mute', 'ban', 'shadow_ban')", name="chat_sanctions_kind"),
    )
    op.create_table(
        "chat_settings",
        sa.Column("show", sa.Text, primary_key=True),
        sa.Column("slow_s", sa.Integer, nullable=False),
        sa.Column("buyers_only", sa.Boolean, nullable=False),
        sa.Column("frozen", sa.Boolean, nullable=False),
        sa.Column("pinned_saying", JSONB(none_as_null=True)),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.CheckConstraint("slow_s BETWEEN 0 AND 120", name="chat_settings_slow_s"),
    )
    op.create_table(
        "chat_reports",
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
    )
    op.create_table(
        "chat_deeds",
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
    )
    op.create_index("chat_deeds_by_store", "chat_deeds", ["store", "id"])


def downgrade() -> None:
    """Drop them."""
    for table in (
        "chat_moderators",
        "chat_sanctions",
        "chat_settings",
        "chat_reports",
        "chat_deeds",
    ):
        op.drop_table(table)
