"""What the ledger must know before it decides, read under the products' locks.

Each of many is looked up by an index, and never found by reading all holds there are: what a
decision costs does not grow with the past.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.deal_rows import ruling_deals
from cart.adapters.hold_rows import to_hold
from cart.adapters.owned import read_units
from cart.core.deal import Deal
from cart.core.hold import GRACE_MS, Hold
from cart.core.stock import Facts, HoldRequest, Sku

_KEPT: Final = text(
    "SELECT asked.buyer, asked.key, h.id, h.sku, h.product, h.title, h.options, h.quantity,"
    " h.price_minor, h.currency, h.deal, h.show, h.order_id, h.state, h.extended,"
    " floor(extract(epoch FROM h.expires_at) * 1000)::bigint - CAST(:grace AS bigint)"
    " AS expires_at_ms"
    " FROM unnest(CAST(:buyers AS text[]), CAST(:keys AS text[])) AS asked(buyer, key)"
    " CROSS JOIN LATERAL (SELECT * FROM holds"
    " WHERE buyer = asked.buyer AND idempotency_key = asked.key OFFSET 0) AS h"
)

_DEALT: Final = text(
    "SELECT asked.deal, asked.buyer, h.units"
    " FROM unnest(CAST(:deals AS text[]), CAST(:buyers AS text[])) AS asked(deal, buyer)"
    " CROSS JOIN LATERAL (SELECT sum(quantity)::bigint AS units FROM holds"
    " WHERE deal = asked.deal AND buyer = asked.buyer"
    " AND state IN ('held', 'ordered', 'paying', 'sold')) AS h WHERE h.units > 0"
)


async def read_facts(
    connection: AsyncConnection,
    owners: Sequence[tuple[str, str]],
    locked: Mapping[str, Sku],
    now_ms: int,
) -> Facts:
    """What is true of locked SKUs and those who want them: each SKU with a buyer in `owners`."""
    deals = await ruling_deals(connection, {sku.product for sku in locked.values()})
    return Facts(
        skus=locked,
        units=await read_units(connection, owners, locked),
        kept={},
        now_ms=now_ms,
        hold_ms=0,
        deals=deals,
        dealt=await _dealt(connection, {buyer for _, buyer in owners}, deals),
    )


async def read_kept(
    connection: AsyncConnection, requests: Sequence[HoldRequest], now_ms: int
) -> dict[tuple[str, str], tuple[Hold, ...]]:
    """The holds that were made for the requests' buyers and keys before."""
    owners = {(request.buyer, request.key) for request in requests}
    kept: dict[tuple[str, str], tuple[Hold, ...]] = {}
    asked: dict[str, Any] = {
        "buyers": [buyer for buyer, _ in owners],
        "keys": [key for _, key in owners],
        "grace": GRACE_MS,
    }
    for row in await connection.execute(_KEPT, asked):
        whose = (row.buyer, row.key)
        kept[whose] = (*kept.get(whose, ()), to_hold(row, now_ms))
    return kept


async def _dealt(
    connection: AsyncConnection, buyers: Collection[str], deals: Mapping[str, Deal]
) -> dict[tuple[str, str], int]:
    """What the buyers already have at the prices of deals that have a limit."""
    limited = [deal.id for deal in deals.values() if deal.limit_per_buyer is not None]
    owners = {(deal, buyer) for deal in limited for buyer in buyers}
    if not owners:
        return {}
    asked: dict[str, Any] = {
        "deals": [deal for deal, _ in owners],
        "buyers": [buyer for _, buyer in owners],
    }
    rows = await connection.execute(_DEALT, asked)
    return {(row.deal, row.buyer): row.units for row in rows}
