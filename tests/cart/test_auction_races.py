"""Many bidders on two nodes, many sweeps, nodes that die: an auction has one course and one end."""

import asyncio
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cart.adapters import auctions as book
from cart.adapters import bids, sku_rows
from cart.adapters.auction_rows import read_auctions
from cart.adapters.owned import read_units
from cart.core.auction import (
    Accepted,
    AuctionState,
    Bidding,
    NewBid,
    Offer,
    Outbid,
    Terms,
    TooLate,
    TooLow,
)
from cart.core.auction import bid as decide
from cart.core.stock import Decision, Granted, LimitReached, Sku
from cart.errors import HoldExpired
from cart.ports.auctions import BidTaken
from tests.cart.saleroom import bid, bids_of, let_lapse, lot_of, run_out, start
from tests.cart.shop import SELLER, Shop, cut_after, make_shop, waits_for_a_lock

BIDDERS = 24
RAISES = 5


async def test_bidders_on_two_nodes_have_the_course_of_their_numbers(
    shop: Shop, engine: AsyncEngine
) -> None:
    """The bids as they were taken, decided again one after the other, end where the row stands."""
    nodes = (shop, make_shop(engine))
    auction = await start(shop, await shop.stock(1))

    async def compete(number: int) -> list[Any]:
        answers = []
        for raised in range(RAISES):
            amount_minor = 10_000 + 1_000 * (raised * BIDDERS + number * 7 % BIDDERS)
            said = NewBid(amount_minor=amount_minor, max=number % 2 == 0)
            answers.append(
                await nodes[number % 2].cart.auctioning.bid(
                    f"b{number}", auction.id, f"k{raised}", said
                )
            )
        return answers

    answers = [*chain.from_iterable(await asyncio.gather(*map(compete, range(BIDDERS))))]
    taken = await bids_of(shop, auction)
    assert len(taken) == sum(isinstance(one, BidTaken) for one in answers)
    assert [row.sequence for row in taken] == list(range(1, len(taken) + 1))
    bidding = Bidding(
        Terms(SELLER, 10_000, "standard", 10_000, False),
        *(AuctionState.OPEN, 10_000, None, 0, 0, auction.ends_at_ms),
    )
    for row in taken:
        offer = Offer(row.buyer, row.name, row.amount_minor, row.is_max)
        decision = decide(bidding, offer, auction.now_ms)
        assert isinstance(decision, Accepted | Outbid)
        bidding = decision.bidding
    now = await shop.cart.auctioning.auction(auction.id)
    assert bidding.lead is not None
    assert (now.price_minor, now.leader, now.bids) == (
        *(bidding.price_minor, bidding.lead.buyer),
        bidding.bids,
    )
    assert bidding.lead.max_minor == max(row.amount_minor for row in taken)


async def test_one_bid_sent_many_times_to_two_nodes_counts_once(
    shop: Shop, engine: AsyncEngine
) -> None:
    nodes = (shop, make_shop(engine))
    auction = await start(shop, await shop.stock(1))
    taken = await asyncio.gather(
        *(bid(nodes[n % 2], auction, "ann", 12_000, key="k") for n in range(12))
    )
    assert {one.auction.version for one in taken} == {2}
    assert len(await bids_of(shop, auction)) == 1


async def test_control_without_the_lock_a_bid_is_lost(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both nodes read the price before either writes; only the numbers keep one of them out."""
    nodes = (shop, make_shop(engine))
    auction = await start(shop, await shop.stock(1))
    both_have_read = asyncio.Barrier(2)

    async def unlocked(connection: AsyncConnection, condition: Any) -> Any:
        rows = await read_auctions(connection, condition)
        await both_have_read.wait()
        return rows

    monkeypatch.setattr(bids, "lock_auctions", unlocked)
    ends = await asyncio.gather(
        *(bid(node, auction, who, 12_000) for node, who in zip(nodes, ("ann", "bo"), strict=True)),
        return_exceptions=True,
    )
    assert sorted(map(type, ends), key=repr) == [BidTaken, IntegrityError]
    monkeypatch.undo()
    loser = ("ann", "bo")[[type(end) for end in ends].index(IntegrityError)]
    low = await shop.cart.auctioning.bid(loser, auction.id, "again", NewBid(amount_minor=12_000))
    assert low == TooLow(13_000)


async def test_one_who_bids_and_holds_at_once_stays_within_the_limit(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold is asked for when the bid has read what its bidder has, and waits for the bid."""
    product = await shop.stock(2, limit=1)
    auction = await start(shop, product)
    asked: list[asyncio.Task[Decision]] = []

    async def read_then_hold(*said: Any) -> Any:
        units = await read_units(*said)
        asked.append(asyncio.create_task(shop.ask(product.id, buyer="ann")))
        await waits_for_a_lock(engine)
        return units

    monkeypatch.setattr(bids, "read_units", read_then_hold)
    await bid(shop, auction, "ann", 10_000)
    assert await asked[0] == LimitReached(product.id, 1)
    assert await shop.counters(product) == (1, 1, 0)


async def test_control_a_bid_without_the_products_lock_goes_above_the_limit(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await shop.stock(2, limit=1)
    auction = await start(shop, product)

    async def unlocked(connection: AsyncConnection, _: Any) -> dict[str, Sku]:
        async with shop.engine.connect() as other:
            return await sku_rows.lock_skus(other, [product.id])

    async def read_then_hold(*said: Any) -> Any:
        units = await read_units(*said)
        assert isinstance(await shop.ask(product.id, buyer="ann"), Granted)
        return units

    monkeypatch.setattr(bids, "lock_skus", unlocked)
    monkeypatch.setattr(bids, "read_units", read_then_hold)
    await bid(shop, auction, "ann", 10_000)
    monkeypatch.undo()
    assert (await run_out(shop, auction)).leader == "ann"
    holds, _ = await shop.cart.holding.live("ann")
    assert sum(hold.quantity for hold in holds) == 2


async def test_a_bid_that_wins_its_lock_after_the_end_is_too_late(
    shop: Shop, engine: AsyncEngine
) -> None:
    auction = await start(shop, await shop.stock(1))
    await bid(shop, auction, "ann", 10_000)
    async with engine.connect() as connection:
        lock = text("SELECT id FROM auctions WHERE id = :id FOR NO KEY UPDATE")
        await connection.execute(lock, {"id": auction.id})
        late = asyncio.create_task(
            shop.cart.auctioning.bid("bo", auction.id, "k", NewBid(amount_minor=20_000))
        )
        await waits_for_a_lock(engine)
        over = text("UPDATE auctions SET ends_at = clock_timestamp() WHERE id = :id")
        await connection.execute(over, {"id": auction.id})
        await connection.commit()
        assert await late == TooLate()
    await shop.cart.auctioning.end_due()
    now = await shop.cart.auctioning.auction(auction.id)
    assert (now.state, now.leader, now.price_minor) == ("won", "ann", 10_000)


async def test_sweeps_on_two_nodes_end_it_once(shop: Shop, engine: AsyncEngine) -> None:
    product = await shop.stock(1)
    auction = await start(shop, product)
    await bid(shop, auction, "ann", 10_000)
    await shop.sql("UPDATE auctions SET ends_at = clock_timestamp()")
    nodes = (shop, make_shop(engine))
    ends = await asyncio.gather(
        *(nodes[n % 2].cart.auctioning._auctions.end(auction.id) for n in range(8))
    )
    assert sorted(ends) == [False] * 7 + [True]
    assert [e["own"]["standing"] for e in await shop.hear("bidding")] == ["won"]
    assert await shop.counters(product) == (0, 1, 0)


@pytest.mark.parametrize("step", ["hand_over", "write_auction", "tell_bidders"])
async def test_a_node_that_dies_at_the_end_leaves_all_or_nothing(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Its connection is cut after a step of the end; another node ends the auction."""
    auction = await start(shop, await shop.stock(1))
    await bid(shop, auction, "ann", 10_000)
    await shop.sql("UPDATE auctions SET ends_at = clock_timestamp()")
    monkeypatch.setattr(book, step, cut_after(getattr(book, step), engine))
    with pytest.raises(DBAPIError):
        await shop.cart.auctioning.end_due()
    monkeypatch.undo()
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.OPEN
    assert await lot_of(shop, "ann") is None
    assert await shop.hear("bidding") == []
    other = make_shop(engine)
    await other.cart.auctioning.end_due()
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.WON
    assert await lot_of(shop, "ann") is not None


async def test_lots_pass_on_once_however_many_let_go_at_once(
    shop: Shop, engine: AsyncEngine
) -> None:
    """The winner gives the lot back while two nodes sweep it away."""
    product = await shop.stock(1)
    auction = await start(shop, product, to_runner_up=True)
    await bid(shop, auction, "bo", 10_000)
    await bid(shop, auction, "ann", 20_000)
    await run_out(shop, auction)
    lot = await lot_of(shop, "ann")
    assert lot is not None
    await shop.sql("UPDATE holds SET expires_at = clock_timestamp() WHERE id = :id", id=lot.id)
    other = make_shop(engine)
    ends = await asyncio.gather(
        shop.cart.holding.release("ann", lot.id),
        *(node.cart.expiry.sweep() for node in (shop, other, shop, other)),
        return_exceptions=True,
    )
    assert isinstance(ends[0], HoldExpired | None)
    assert ends[1:] == [False] * 4
    assert await shop.counters(product) == (0, 1, 0)
    heir = await lot_of(shop, "bo")
    assert heir is not None
    await let_lapse(shop, heir)
    assert await shop.counters(product) == (1, 0, 0)


async def test_buyers_never_get_a_lot_that_passes_on(shop: Shop) -> None:
    """Holds are asked for all the while a lot goes from its winner to the runner-up."""
    product = await shop.stock(1)
    auction = await start(shop, product, to_runner_up=True)
    await bid(shop, auction, "bo", 10_000)
    await bid(shop, auction, "ann", 20_000)
    await run_out(shop, auction)
    lot = await lot_of(shop, "ann")
    assert lot is not None
    release = asyncio.create_task(shop.cart.holding.release("ann", lot.id))
    asked = await asyncio.gather(*(shop.ask(product.id, buyer=f"b{n}") for n in range(20)))
    await release
    assert {type(one).__name__ for one in asked} == {"SoldOut"}
    assert (await lot_of(shop, "bo")) is not None
