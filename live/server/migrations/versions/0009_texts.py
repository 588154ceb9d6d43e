"""Reports and deeds that still have a text, to be found when it is no longer kept."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0009"
down_revision: Final = "0008"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Take the step."""
    op.create_index(
        "chat_reports_with_text",
        "chat_reports",
        ["at"],
        postgresql_where=sa.text("text <> ''"),
    )
    op.create_index(
        "chat_deeds_with_text",
        "chat_deeds",
        ["at"],
        postgresql_where=sa.text("what = 'delete' AND detail <> ''"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("chat_deeds_with_text", "chat_deeds")
    op.drop_index("chat_reports_with_text", "chat_reports")
