"""Who leads in an auction is looked up by its product: the lot counts against a limit per buyer."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0024"
down_revision: Final = "0023"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Index open auctions by product."""
    op.create_index(
        *("ix_auctions_product", "auctions", ["product"]),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_auctions_product", "auctions")
