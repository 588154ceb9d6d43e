"""Bids in PostgreSQL: as many as come at a time are decided one by one on their auction's locked
row, by the database's clock, and written together.

All of one batch are told how they fare after its last. Of the prices in between nobody is told.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.auction_rows import (
    lock_auctions,
    own_parts,
    tell_bidders,
    to_auction,
    to_bidding,
    write_auction,
    write_max,
)
from cart.adapters.auction_tables import auction_bids, auctions
from cart.adapters.owned import read_units
from cart.adapters.sku_rows import lock_skus, read_clock
from cart.adapters.tables import among, products
from cart.core import auction as core
from cart.core.auction import Accepted, Bidding, Outbid, Refused
from cart.core.stock import LimitReached, Sku
from cart.ports.answers import KeyUsed
from cart.ports.auctions import Bid, BidAnswer, BidTaken

Kept = dict[tuple[str, str], tuple[int, bool]]
"""Bids that were taken: (buyer, key) → amount, and whether at most that."""


async def decide_bids(
    connection: AsyncConnection, auction: str, bids: Sequence[Bid]
) -> Sequence[BidAnswer]:
    """Decide bids in their order, in an auction that exists, and tell whom they concern."""
    on_sale = await _lock_limited(connection, auction)
    (row,) = await lock_auctions(connection, auctions.c.id == auction)
    limits = await _limits(connection, row, {bid.offer.buyer for bid in bids}, on_sale)
    deciding = _Deciding(to_bidding(row), limits, await _kept(connection, row, bids))
    now_ms = await read_clock(connection)
    refusals = [deciding.decide(bid, now_ms) for bid in bids]
    after = await _write(connection, row, deciding)
    taken = {bid.offer.buyer for bid, no in zip(bids, refusals, strict=True) if no is None}
    displaced = deciding.led - {after.leader}
    own = await own_parts(connection, after, taken | displaced)
    await tell_bidders(connection, after, {buyer: own[buyer] for buyer in sorted(displaced)})
    seen = to_auction(after)
    return [
        BidTaken(seen, own[bid.offer.buyer]) if refusal is None else refusal
        for bid, refusal in zip(bids, refusals, strict=True)
    ]


class _Deciding:
    """A batch that is being decided; `led`: who led at any time of it, `taken`: the new rows."""

    def __init__(self, bidding: Bidding, limits: Mapping[str, LimitReached], kept: Kept) -> None:
        self.bidding = bidding
        self.led = {bidding.lead.buyer} if bidding.lead else set()
        self.taken: list[dict[str, Any]] = []
        self._limits = limits
        self._kept = kept

    def decide(self, bid: Bid, now_ms: int) -> KeyUsed | LimitReached | Refused | None:
        """Why the bid is refused; None: it is taken, now or before."""
        offer = bid.offer
        said = (offer.amount_minor, offer.is_max)
        earlier = self._kept.get((offer.buyer, bid.key))
        if earlier is not None:
            return None if earlier == said else KeyUsed()
        lead = self.bidding.lead
        if offer.buyer in self._limits and (lead is None or lead.buyer != offer.buyer):
            return self._limits[offer.buyer]
        decision = core.bid(self.bidding, offer, now_ms)
        if not isinstance(decision, Accepted | Outbid):
            return decision
        self.bidding = decision.bidding
        if isinstance(decision, Accepted):
            self.led.add(offer.buyer)
        self._kept[offer.buyer, bid.key] = said
        self.taken.append(
            {
                "sequence": self.bidding.sequence,
                "buyer": offer.buyer,
                "name": offer.name,
                "idempotency_key": bid.key,
                "amount_minor": offer.amount_minor,
                "is_max": offer.is_max,
            }
        )
        return None


async def _kept(connection: AsyncConnection, row: Row[Any], bids: Sequence[Bid]) -> Kept:
    """Those of the bids that were taken before."""
    same = select(auction_bids).where(
        auction_bids.c.auction == row.id,
        among(auction_bids.c.buyer, {bid.offer.buyer for bid in bids}),
        among(auction_bids.c.idempotency_key, {bid.key for bid in bids}),
    )
    return {
        (each.buyer, each.idempotency_key): (each.amount_minor, each.is_max)
        for each in await connection.execute(same)
    }


async def _lock_limited(connection: AsyncConnection, auction: str) -> dict[str, Sku]:
    """Lock an auction's product if it has a limit for each buyer; its SKUs then, else none.

    So nobody comes to lead and to hold units elsewhere, each within the limit, at one time.
    """
    of = select(auctions.c.product).join(products, products.c.id == auctions.c.product)
    of = of.where(auctions.c.id == auction, products.c.limit_per_buyer.is_not(None))
    return await lock_skus(connection, await connection.scalars(of))


async def _limits(
    connection: AsyncConnection, row: Row[Any], buyers: Collection[str], on_sale: dict[str, Sku]
) -> dict[str, LimitReached]:
    """Why some of the buyers may not come to lead: with the lot they would have too many."""
    sku = on_sale.get(row.sku)
    if sku is None or sku.limit_per_buyer is None:
        return {}
    units = await read_units(connection, [(sku.id, buyer) for buyer in buyers], on_sale)
    reached = LimitReached(sku.product, sku.limit_per_buyer)
    # Who leads has the lot counted already, and would have it once and no more.
    lots = {buyer: 0 if buyer == row.leader else row.quantity for buyer in buyers}
    return {
        buyer: reached
        for buyer in buyers
        if units.get((sku.product, buyer), 0) + lots[buyer] > sku.limit_per_buyer
    }


async def _write(connection: AsyncConnection, row: Row[Any], deciding: _Deciding) -> Row[Any]:
    """Write the bids that were taken, and how the auction stands; its row then."""
    now = deciding.bidding
    if not deciding.taken:
        return row
    rows = [{"auction": row.id} | taken for taken in deciding.taken]
    await connection.execute(insert(auction_bids), rows)
    if now.bids == row.bids:
        await write_max(connection, row.id, now)
        return row
    return await write_auction(connection, row.id, now)
