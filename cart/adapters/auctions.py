"""Auctions in PostgreSQL: each bid decided on the locked row, by the database's clock.

Locks are taken in the order product, lot's hold, auction; a bid takes the auction's alone where the
product has no limit for each buyer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.auction_rows import (
    lock_auctions,
    own_parts,
    read_auctions,
    tell_auction,
    tell_bidders,
    to_auction,
    to_bidding,
    write_auction,
)
from cart.adapters.auction_tables import auction_bids, auctions
from cart.adapters.bids import decide_bids
from cart.adapters.database import Database
from cart.adapters.hold_rows import lock_holds
from cart.adapters.lots import hand_over, set_aside, taken
from cart.adapters.moving import turn_holds, write_skus
from cart.adapters.sku_rows import lock_skus, read_clock
from cart.adapters.tables import holds, skus
from cart.core import auction as core
from cart.core.auction import Auction, AuctionState, Bidding, Own
from cart.core.hold import HoldEvent
from cart.core.movement import Units
from cart.core.stock import LimitReached, NoSuchSku, Sku, SoldOut
from cart.ports.answers import KeyUsed
from cart.ports.auctions import AnotherOpen, Bid, BidAnswer, Lot, Opened, Opening

NAMELESS: Final = "···"
"""What a bidder who was forgotten is called."""

FORGOTTEN_LIMIT: Final = 64
"""Most auctions whose leader is forgotten in one transaction."""


class SqlAuctions:
    """Auctions in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def earlier(self, lot: Lot) -> Opened | KeyUsed | None:
        """What the seller opened with the lot's key."""
        async with self._database.reading() as connection:
            return await _earlier(connection, lot)

    async def open(self, lot: Lot) -> Opening:
        """Open an auction and hold its lot, or neither."""
        async with self._database.writing() as connection:
            theirs = select(skus.c.product).where(skus.c.id == lot.sku, skus.c.store == lot.store)
            product = (await connection.execute(theirs)).scalar_one_or_none()
            if product is None:
                return NoSuchSku(lot.sku)
            on_sale = await lock_skus(connection, [product])
            earlier = await _earlier(connection, lot)
            if earlier is not None:
                return earlier
            sku = on_sale[lot.sku]
            limit = sku.limit_per_buyer
            if limit is not None and lot.quantity > limit:
                return LimitReached(sku.product, limit)
            if lot.quantity > sku.counters.free:
                return SoldOut(sku.id, sku.counters.free, sku.counters.held)
            if not await _insert(connection, lot, product):
                return await _earlier(connection, lot) or AnotherOpen()
            await set_aside(connection, lot.hold, lot, lot.start_minor)
            await write_skus(connection, on_sale, [taken(lot.hold, sku.id, lot.quantity)])
            return Opened(to_auction(await tell_auction(connection, lot.id)))

    async def bid(self, auction: str, bids: Sequence[Bid]) -> Sequence[BidAnswer]:
        """Decide bids in their order, in one transaction, in an auction that exists."""
        async with self._database.writing() as connection:
            return await decide_bids(connection, auction, bids)

    async def cancel(self, auction: str) -> Auction | None:
        """Call an auction off and free its lot; None when that cannot be any more."""
        async with self._database.writing() as connection:
            lot = await _lock_lot(connection, auction)
            off = core.cancel(to_bidding(lot.row))
            return None if off is None else to_auction(await _close(connection, lot, off))

    async def end(self, auction: str) -> bool:
        """End an auction whose time is over, its lot won or free again; whether it was this call.

        However many ask, on however many nodes, one does.
        """
        async with self._database.writing() as connection:
            lot = await _lock_lot(connection, auction)
            over = core.end(to_bidding(lot.row), await read_clock(connection))
            if over is not None:
                await _close(connection, lot, over)
        return over is not None

    async def call_off(self, show: str) -> None:
        """A show is over: its open auction is ended where its time is over, else cancelled."""
        opened = (auctions.c.show == show) & (auctions.c.state == AuctionState.OPEN)
        async with self._database.writing() as connection:
            auction = await connection.scalar(select(auctions.c.id).where(opened))
            if auction is None:
                return
            lot = await _lock_lot(connection, auction)
            over = core.call_off(to_bidding(lot.row), await read_clock(connection))
            if over is not None:
                await _close(connection, lot, over)

    async def shows(self) -> Sequence[str]:
        """Shows that have an open auction."""
        query = select(auctions.c.show).where(auctions.c.state == AuctionState.OPEN)
        async with self._database.reading() as connection:
            return (await connection.scalars(query)).all()

    async def due(self, limit: int) -> Sequence[str]:
        """Auctions whose time is over, the first to end first."""
        over = auctions.c.ends_at <= func.clock_timestamp()
        query = select(auctions.c.id).where(auctions.c.state == AuctionState.OPEN, over)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(auctions.c.ends_at).limit(limit))
            return rows.scalars().all()

    async def auction(self, auction: str) -> Auction | None:
        """The auction of that id."""
        found = await self._read(auctions.c.id == auction, 1)
        return found[0] if found else None

    async def newest(self, show: str, limit: int) -> Sequence[Auction]:
        """A show's auctions, newest first."""
        return await self._read(auctions.c.show == show, limit)

    async def own(self, auction: str, buyer: str) -> Own | None:
        """How a buyer fares; None when it has not bid."""
        async with self._database.reading() as connection:
            rows = await read_auctions(connection, auctions.c.id == auction)
            return (await own_parts(connection, rows[0], [buyer])).get(buyer) if rows else None

    async def _read(self, condition: Any, limit: int) -> list[Auction]:
        async with self._database.reading() as connection:
            return [to_auction(row) for row in await read_auctions(connection, condition, limit)]

    async def forget(self, bidder: str) -> None:
        """Take a bidder's name out of all auctions, open ones too, whose rooms are told."""
        theirs = update(auction_bids).where(auction_bids.c.buyer == bidder)
        async with self._database.writing() as connection:
            await connection.execute(theirs.values(name=NAMELESS))
        led = (auctions.c.leader == bidder) & (auctions.c.leader_name != NAMELESS)
        # Who leads has bid there: of all auctions only those are looked at.
        bid_in = select(auction_bids.c.auction).where(auction_bids.c.buyer == bidder)
        led &= auctions.c.id.in_(bid_in)
        some = select(auctions.c.id).where(led).limit(FORGOTTEN_LIMIT).scalar_subquery()
        while True:
            async with self._database.writing() as connection:
                rows = await lock_auctions(connection, auctions.c.id.in_(some))
                for row in rows:
                    now = to_bidding(row)
                    # Whoever outbid them meanwhile leads under a name of their own.
                    if now.lead is not None and now.lead.buyer == bidder:
                        nameless = replace(now, lead=replace(now.lead, name=NAMELESS))
                        await write_auction(connection, row.id, nameless)
            if len(rows) < FORGOTTEN_LIMIT:
                return


@dataclass(frozen=True, slots=True)
class _LockedLot:
    """An auction, the hold its lot waits in and the product's SKUs, all locked."""

    row: Row[Any]
    units: Sequence[Units]
    skus: dict[str, Sku]


async def _lock_lot(connection: AsyncConnection, auction: str) -> _LockedLot:
    """Lock all of an auction that exists."""
    of = select(auctions.c.product, auctions.c.hold).where(auctions.c.id == auction)
    known = (await connection.execute(of)).one()
    on_sale = await lock_skus(connection, [known.product])
    units = await lock_holds(connection, holds.c.id == known.hold)
    (row,) = await lock_auctions(connection, auctions.c.id == auction)
    return _LockedLot(row, units, on_sale)


async def _close(connection: AsyncConnection, lot: _LockedLot, over: Bidding) -> Row[Any]:
    """Write the end of a locked auction: its lot is the winner's, or free; its row then."""
    if over.state == AuctionState.WON:
        assert over.lead is not None, "nobody won"
        await hand_over(connection, lot.row, over.lead, over.price_minor)
    else:
        await turn_holds(connection, lot.units, HoldEvent.RELEASE, lot.skus)
    row = await write_auction(connection, lot.row.id, over)
    leader = [] if over.lead is None else [over.lead.buyer]
    await tell_bidders(connection, row, await own_parts(connection, row, leader))
    return row


async def _insert(connection: AsyncConnection, lot: Lot, product: str) -> bool:
    """Write a new auction; False where the key is used or the show has an open one."""
    now_ms = await read_clock(connection)
    starts_at_ms = now_ms + lot.starts_in_ms
    copied = (
        *("id", "show", "store", "seller", "digest", "sku", "quantity", "start_minor"),
        *("increments", "counter_bid_ms", "sudden_death", "claim_ms", "to_runner_up", "hold"),
    )
    fresh = upsert(auctions).values(
        {name: getattr(lot, name) for name in copied}
        | {
            "idempotency_key": lot.key,
            "product": product,
            "state": AuctionState.OPEN,
            "price_minor": lot.start_minor,
            "starts_at": func.to_timestamp(starts_at_ms / 1000),
            "ends_at": func.to_timestamp((starts_at_ms + lot.length_ms) / 1000),
        }
    )
    done = await connection.execute(fresh.on_conflict_do_nothing().returning(auctions.c.id))
    return done.first() is not None


async def _earlier(connection: AsyncConnection, lot: Lot) -> Opened | KeyUsed | None:
    """What the seller opened with the same key."""
    same = (auctions.c.seller == lot.seller) & (auctions.c.idempotency_key == lot.key)
    rows = await read_auctions(connection, same)
    if not rows:
        return None
    return Opened(to_auction(rows[0])) if rows[0].digest == lot.digest else KeyUsed()
