"""What is known of a person is found without reading everything."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0012"
down_revision: Final = "0011"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create the indexes."""
    for whose in ("author", "reporter"):
        op.create_index(f"chat_reports_by_{whose}", "chat_reports", [whose, "at"])
    deleting = sa.text("what = 'delete'")
    op.create_index("chat_deeds_by_whom", "chat_deeds", ["whom", "at"], postgresql_where=deleting)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("chat_deeds_by_whom", "chat_deeds")
    for whose in ("author", "reporter"):
        op.drop_index(f"chat_reports_by_{whose}", "chat_reports")
