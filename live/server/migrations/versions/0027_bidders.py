"""Who is erased is looked up among all bids there ever were."""

from typing import Final

from alembic import op

revision: Final = "0027"
down_revision: Final = "0026"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Index bids by who made them."""
    op.create_index("ix_auction_bids_buyer", "auction_bids", ["buyer"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_auction_bids_buyer", "auction_bids")
