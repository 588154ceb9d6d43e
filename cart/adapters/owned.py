"""What buyers have of a product, as a limit per buyer counts it, under the product's lock.

Holds count from the first moment, until they are given back. So does the lot of an open auction for
whoever leads: a bid is a promise to buy, from which no purchase elsewhere may be a way out.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import ARRAY, Text, cast, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.auction_tables import auctions
from cart.adapters.tables import holds
from cart.core.auction import AuctionState
from cart.core.hold import COUNTED
from cart.core.stock import Sku

OWNED: Final = union_all(
    select(holds.c.product, holds.c.buyer, holds.c.quantity).where(holds.c.state.in_(COUNTED)),
    select(auctions.c.product, auctions.c.leader, auctions.c.quantity).where(
        auctions.c.state == AuctionState.OPEN
    ),
).subquery("owned")
"""Rows of (product, buyer, quantity)."""


async def read_units(
    connection: AsyncConnection, owners: Iterable[tuple[str, str]], on_sale: Mapping[str, Sku]
) -> dict[tuple[str, str], int]:
    """What buyers already have of products that have a limit; `owners`: SKU and buyer."""
    limited = {
        (sku.product, buyer)
        for one, buyer in owners
        if (sku := on_sale.get(one)) is not None and sku.limit_per_buyer is not None
    }
    if not limited:
        return {}
    asked = func.unnest(
        cast([product for product, _ in limited], ARRAY(Text)),
        cast([buyer for _, buyer in limited], ARRAY(Text)),
    )
    each = asked.table_valued("product", "buyer").render_derived(name="asked")
    theirs = (OWNED.c.product == each.c.product) & (OWNED.c.buyer == each.c.buyer)
    query = select(each.c.product, each.c.buyer, func.sum(OWNED.c.quantity).label("units"))
    query = query.join(OWNED, theirs).group_by(each.c.product, each.c.buyer)
    return {(row.product, row.buyer): int(row.units) for row in await connection.execute(query)}
