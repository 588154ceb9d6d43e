"""The holds in which auctions' lots wait: the auction's own while it is open, then the winner's.

So nothing is oversold: a lot is held from the start on. The ledger asks `inherit` in the
transaction in which somebody lets a lot go, before anybody else can have its units.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.auction_rows import (
    LOT_OUT,
    lock_auctions,
    own_parts,
    tell_bidders,
    to_bidding,
    write_auction,
)
from cart.adapters.auction_tables import auction_bids, auctions
from cart.adapters.owned import OWNED
from cart.adapters.tables import among
from cart.core.auction import AuctionState, Lead, pass_on
from cart.core.hold import GRACE_MS
from cart.core.movement import Movement, Reason
from cart.shopping import new_id

_INSERT: Final = text(
    "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
    " price_minor, currency, show, state, expires_at)"
    " SELECT :id, :buyer, :key, skus.id, skus.product, products.title, skus.options, :quantity,"
    " CAST(:price_minor AS bigint), products.currency, :show, 'held',"
    " coalesce(clock_timestamp() + :within_ms * interval '1 millisecond', '9999-12-31')"
    " FROM skus JOIN products ON products.id = skus.product WHERE skus.id = :sku"
)

_HAND_OVER: Final = text(
    "UPDATE holds SET buyer = :buyer, price_minor = :price_minor,"
    " expires_at = clock_timestamp() + :within_ms * interval '1 millisecond'"
    " WHERE id = :id AND state = 'held'"
)


def lot_key(auction: str) -> str:
    """The key, and the first buyer, of an auction's holds; no account or key has a space in it."""
    return f"auction {auction}"


def taken(hold: str, sku: str, units: int) -> Movement:
    """The movement of a lot that is held from now on."""
    return Movement(sku, Reason.AUCTION, hold, free=-units, held=units)


async def set_aside(connection: AsyncConnection, hold: str, lot: Any, price_minor: int) -> None:
    """Hold a lot for its auction, without a deadline; the caller counts the units."""
    await _hold(connection, hold, lot, lot_key(lot.id), price_minor, None)


async def hand_over(connection: AsyncConnection, row: Row[Any], lead: Lead, price: int) -> None:
    """Make an open auction's lot its winner's, to be claimed within the auction's time."""
    handed = {"id": row.hold, "buyer": lead.buyer, "price_minor": price}
    within = {"within_ms": row.claim_ms + GRACE_MS}
    done = await connection.execute(_HAND_OVER, handed | within)
    assert done.rowcount == 1, "an open auction has its lot"


async def inherit(connection: AsyncConnection, lapsed: Sequence[str]) -> list[Movement]:
    """Let lots pass on that were let go; `lapsed`: locked holds whose units just became free.

    Gives the movements of the units that are held again, which the caller writes.
    """
    movements: list[Movement] = []
    if not lapsed:
        return movements
    theirs = among(auctions.c.hold, lapsed) & auctions.c.state.in_(LOT_OUT)
    for row in await lock_auctions(connection, theirs):
        now = pass_on(to_bidding(row), await _runner_up(connection, row))
        hold = row.hold
        if now.state == AuctionState.OFFERED and now.lead is not None:
            hold = new_id()
            await _hold(
                connection, hold, row, now.lead.buyer, now.price_minor, row.claim_ms + GRACE_MS
            )
            movements.append(taken(hold, row.sku, row.quantity))
        after = await write_auction(connection, row.id, now, hold=hold)
        concerned = await own_parts(connection, after, {row.leader, after.leader})
        await tell_bidders(connection, after, concerned)
    return movements


async def _hold(
    connection: AsyncConnection,
    hold: str,
    lot: Any,
    buyer: str,
    price_minor: int,
    within_ms: int | None,
) -> None:
    said = {"id": hold, "buyer": buyer, "key": lot_key(lot.id), "sku": lot.sku, "show": lot.show}
    terms = {"quantity": lot.quantity, "price_minor": price_minor, "within_ms": within_ms}
    await connection.execute(_INSERT, said | terms)


async def _runner_up(connection: AsyncConnection, row: Row[Any]) -> Lead | None:
    """Who offered most beside the winner, of two the earlier, and may have the lot by the product's
    limit for each buyer; None where the seller wants none."""
    if not row.to_runner_up:
        return None
    query = (
        select(auction_bids.c.buyer, auction_bids.c.name, auction_bids.c.amount_minor)
        .where(auction_bids.c.auction == row.id, auction_bids.c.buyer != row.leader)
        .order_by(auction_bids.c.amount_minor.desc(), auction_bids.c.sequence)
        .limit(1)
    )
    if row.limit_per_buyer is not None:
        theirs = (OWNED.c.product == row.product) & (OWNED.c.buyer == auction_bids.c.buyer)
        has = select(func.coalesce(func.sum(OWNED.c.quantity), 0)).where(theirs).scalar_subquery()
        query = query.where(has + row.quantity <= row.limit_per_buyer)
    found = (await connection.execute(query)).first()
    return Lead(found.buyer, found.name, found.amount_minor) if found else None
