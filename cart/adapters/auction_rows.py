"""Auctions as rows: read, locked, told."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.auction_tables import auction_bids, auctions
from cart.adapters.outbox import put
from cart.adapters.tables import among, milliseconds, products, skus
from cart.core import event
from cart.core.auction import (
    Auction,
    AuctionState,
    Bidding,
    Lead,
    Own,
    Terms,
    minimum,
    standing,
)

LOT_OUT: Final = (AuctionState.WON, AuctionState.OFFERED)
"""States in which the lot is somebody's to pay."""

_ROW: Final = (
    select(
        auctions,
        milliseconds(auctions.c.starts_at).label("starts_at_ms"),
        milliseconds(auctions.c.ends_at).label("ends_at_ms"),
        milliseconds(func.clock_timestamp()).label("now_ms"),
        products.c.title,
        products.c.currency,
        products.c.limit_per_buyer,
        skus.c.options,
    )
    .join(products, products.c.id == auctions.c.product)
    .join(skus, skus.c.id == auctions.c.sku)
)


async def lock_auctions(connection: AsyncConnection, condition: Any) -> list[Row[Any]]:
    """Lock the auctions that meet a condition, in id order, and then read them."""
    chosen = select(auctions.c.id).where(condition).order_by(auctions.c.id)
    ids = (await connection.execute(chosen.with_for_update(key_share=True))).scalars().all()
    return await read_auctions(connection, among(auctions.c.id, ids)) if ids else []


async def read_auctions(
    connection: AsyncConnection, condition: Any, limit: int | None = None
) -> list[Row[Any]]:
    """The auctions that meet a condition, newest first."""
    newest = (auctions.c.created_at.desc(), auctions.c.id)
    query = _ROW.where(condition).order_by(*newest).limit(limit)
    return [*await connection.execute(query)]


def to_bidding(row: Row[Any]) -> Bidding:
    """A row as core decides on it."""
    lead = Lead(row.leader, row.leader_name, row.leader_max_minor) if row.leader else None
    return Bidding(
        terms=Terms(
            *(row.seller, row.start_minor, row.increments),
            *(row.counter_bid_ms, row.sudden_death),
        ),
        state=AuctionState(row.state),
        price_minor=row.price_minor,
        lead=lead,
        sequence=row.sequence,
        bids=row.bids,
        ends_at_ms=row.ends_at_ms,
    )


def to_auction(row: Row[Any]) -> Auction:
    """A row as everybody sees it."""
    return Auction(
        id=row.id,
        show=row.show,
        store=row.store,
        product=row.product,
        sku=row.sku,
        title=row.title,
        options=tuple(row.options),
        quantity=row.quantity,
        currency=row.currency,
        state=AuctionState(row.state),
        start_minor=row.start_minor,
        increments=row.increments,
        price_minor=row.price_minor,
        minimum_minor=minimum(to_bidding(row)),
        bids=row.bids,
        leader=row.leader,
        leader_name=row.leader_name,
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        counter_bid_ms=row.counter_bid_ms,
        sudden_death=row.sudden_death,
        claim_ms=row.claim_ms,
        to_runner_up=row.to_runner_up,
        version=row.version,
        now_ms=row.now_ms,
    )


async def own_parts(
    connection: AsyncConnection, row: Row[Any], buyers: Collection[str]
) -> dict[str, Own]:
    """How buyers fare; those who have not bid are left out."""
    if not buyers:
        return {}
    most = (
        select(auction_bids.c.buyer, func.max(auction_bids.c.amount_minor).label("max_minor"))
        .where(auction_bids.c.auction == row.id, among(auction_bids.c.buyer, buyers))
        .group_by(auction_bids.c.buyer)
    )
    state = AuctionState(row.state)
    lot = row.hold if state in LOT_OUT else None
    return {
        each.buyer: Own(
            standing=standing(state, leads=row.leader == each.buyer),
            max_minor=each.max_minor,
            hold=lot if row.leader == each.buyer else None,
        )
        for each in await connection.execute(most)
    }


async def write_auction(
    connection: AsyncConnection, auction: str, now: Bidding, **more: Any
) -> Row[Any]:
    """Write how a locked auction stands, one version on, and tell its room; its row then."""
    change = _columns(now) | {"version": auctions.c.version + 1} | more
    await connection.execute(update(auctions).where(auctions.c.id == auction).values(change))
    return await tell_auction(connection, auction)


async def write_max(connection: AsyncConnection, auction: str, now: Bidding) -> None:
    """Write a leader's higher max, of which nobody is told."""
    change = update(auctions).where(auctions.c.id == auction)
    await connection.execute(change.values(_columns(now)))


def _columns(now: Bidding) -> dict[str, Any]:
    return {
        "state": now.state,
        "price_minor": now.price_minor,
        "sequence": now.sequence,
        "bids": now.bids,
        "leader": now.lead.buyer if now.lead else None,
        "leader_name": now.lead.name if now.lead else None,
        "leader_max_minor": now.lead.max_minor if now.lead else None,
        "ends_at": func.to_timestamp(now.ends_at_ms / 1000),
    }


async def tell_auction(connection: AsyncConnection, auction: str) -> Row[Any]:
    """Tell the room how an auction stands, and give its row."""
    (row,) = await read_auctions(connection, auctions.c.id == auction)
    await put(connection, row.store, [event.auction_changed(to_auction(row))])
    return row


async def tell_bidders(connection: AsyncConnection, row: Row[Any], own: Mapping[str, Own]) -> None:
    """Tell bidders, each alone, how they fare."""
    auction = to_auction(row)
    told = [event.bid_fares(auction, buyer, part) for buyer, part in own.items()]
    await put(connection, row.store, told)
