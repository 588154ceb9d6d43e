"""Pinned sayings know who said them and when, so that they go with what else was said."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0011"
down_revision: Final = "0010"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Take the step: what is not in the archive any more is not kept on top either."""
    op.create_index(
        "chat_settings_pinned",
        "chat_settings",
        ["show"],
        postgresql_where=sa.text("pinned_saying IS NOT NULL"),
    )
    op.execute(
        "UPDATE chat_settings SET version = chat_settings.version + 1, pinned_saying ="
        " (SELECT chat_settings.pinned_saying || jsonb_build_object('author', said.author,"
        " 'at_ms', CAST(extract(epoch FROM said.at) * 1000 AS bigint)) FROM chat_sayings said"
        " WHERE said.id = chat_settings.pinned_saying->>'id')"
        " WHERE chat_settings.pinned_saying IS NOT NULL"
    )


def downgrade() -> None:
    """Take it back."""
    op.execute("UPDATE chat_settings SET pinned_saying = pinned_saying - 'author' - 'at_ms'")
    op.drop_index("chat_settings_pinned", "chat_settings")
