"""All of cart's tables: whoever has this module's metadata has every one of them."""

from typing import Final

from cart.adapters import (
    auction_tables,
    checkout_tables,
    deal_tables,
    import_tables,
    movement_tables,
    refund_tables,
    tables,
    waitlist_tables,
)

PARTS: Final = (
    *(tables, checkout_tables, deal_tables, movement_tables, refund_tables, waitlist_tables),
    *(auction_tables, import_tables),
)
"""The modules that describe them, each adding to one metadata."""

metadata: Final = tables.metadata
