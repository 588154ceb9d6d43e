"""A product is made once for each key of its store."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0028"
down_revision: Final = "0027"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Keep the key and what was asked with it."""
    op.add_column("products", sa.Column("idempotency_key", sa.Text))
    op.add_column("products", sa.Column("digest", sa.Text))
    op.create_unique_constraint(
        "uq_products_store_idempotency_key", "products", ["store", "idempotency_key"]
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_constraint("uq_products_store_idempotency_key", "products")
    op.drop_column("products", "digest")
    op.drop_column("products", "idempotency_key")
