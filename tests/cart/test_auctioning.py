"""Auctions on a real database: the lot is held, bids are decided one by one, a clock ends them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import event, text

from cart.adapters.auctions import NAMELESS
from cart.adapters.database import Database
from cart.adapters.movements import SqlRecounts
from cart.core.auction import (
    AlreadyLeading,
    AuctionState,
    NewAuction,
    NewBid,
    OwnLot,
    Standing,
    TooLow,
)
from cart.core.order import OrderState
from cart.core.payment import Standing as PaymentStanding
from cart.core.stock import Granted, LimitReached, NoSuchSku, SoldOut
from cart.errors import Conflict, Forbidden, Invalid, NotFound
from cart.errors import LimitReached as LimitReachedError
from cart.ports.answers import KeyUsed
from cart.ports.auctions import AnotherOpen, Opened
from cart.ports.deals import ShowFacts
from tests.cart.saleroom import SHOW, bid, bids_of, hall, let_lapse, lot_of, run_out, start
from tests.cart.shop import BANNED, RECIPIENT, SELLER, STRANGER, Shop

WINNER, SECOND = "winner", "second"


async def test_an_open_auction_holds_its_lot_and_tells_its_room(shop: Shop) -> None:
    product = await shop.stock(3)
    auction = await start(shop, product, quantity=2, length_s=30, starts_in_s=5)
    assert await shop.counters(product) == (1, 2, 0)
    assert (auction.state, auction.price_minor, auction.minimum_minor) == ("open", 10_000, 10_000)
    assert (auction.leader, auction.bids, auction.title) == (None, 0, product.title)
    assert auction.ends_at_ms - auction.starts_at_ms == 30_000
    assert 4_000 < auction.starts_at_ms - auction.now_ms <= 5_000
    (told,) = await shop.hear("auction")
    assert (told["auction"]["id"], told["show"]) == (auction.id, SHOW)
    assert (await shop.hear("stock"))[-1]["held"] == 2
    assert [one.id for one in await shop.cart.auctioning.auctions(SHOW)] == [auction.id]
    (offered, _) = await shop.cart.offers(SHOW)
    assert (offered["type"], offered["auction"]["id"]) == ("auction", auction.id)


async def test_the_lot_of_an_open_auction_never_expires(shop: Shop) -> None:
    product = await shop.stock(1)
    await start(shop, product)
    await shop.cart.expiry.sweep()
    assert await shop.counters(product) == (0, 1, 0)
    assert await shop.ask(product.id) == SoldOut(product.id, 0, 1)


async def test_what_cannot_be_opened(shop: Shop) -> None:
    product = await shop.stock(1, limit=1)
    foreign = await shop.stock(1, slug="rose")
    hall(shop)
    open_ = shop.cart.auctioning.open

    def lot(sku: str, quantity: int = 1) -> NewAuction:
        return NewAuction(sku=sku, quantity=quantity, start_minor=1)

    assert await open_(SELLER, SHOW, "k", lot(product.id, 2)) == LimitReached(product.id, 1)
    assert await open_(SELLER, SHOW, "k", lot(foreign.id)) == NoSuchSku(foreign.id)
    assert await open_(SELLER, SHOW, "k", lot("nothing")) == NoSuchSku("nothing")
    with pytest.raises(Forbidden):
        await open_(STRANGER, SHOW, "k", lot(product.id))
    with pytest.raises(NotFound):
        await open_(SELLER, "over", "k", lot(product.id))
    with pytest.raises(Invalid):
        await open_(SELLER, SHOW, "no spaces", lot(product.id))
    await shop.hold(product)
    assert await open_(SELLER, SHOW, "k", lot(product.id)) == SoldOut(product.id, 0, 1)
    assert await shop.cart.auctioning.auctions(SHOW) == []


async def test_a_show_has_one_auction_at_a_time_and_a_key_opens_one(shop: Shop) -> None:
    tea, cake = await shop.stock(5), await shop.stock(5)
    first = await start(shop, tea, key="a")
    assert (await start(shop, tea, key="a")).id == first.id
    other = NewAuction(sku=cake.id, start_minor=1)
    assert await shop.cart.auctioning.open(SELLER, SHOW, "a", other) == KeyUsed()
    assert await shop.cart.auctioning.open(SELLER, SHOW, "b", other) == AnotherOpen()
    assert [await shop.counters(one) for one in (tea, cake)] == [(4, 1, 0), (5, 0, 0)]
    await shop.cart.auctioning.cancel(SELLER, first.id)
    assert (await start(shop, cake, key="b")).product == cake.id


async def test_openings_at_once_open_one(shop: Shop) -> None:
    hall(shop)
    products = [await shop.stock(5) for _ in range(4)]
    openings = await asyncio.gather(
        *(
            shop.cart.auctioning.open(
                SELLER, SHOW, f"k{key}", NewAuction(sku=product.id, start_minor=1)
            )
            for key, product in enumerate(products)
        )
    )
    assert openings.count(AnotherOpen()) == 3
    held = [(await shop.counters(product))[1] for product in products]
    assert sorted(held) == [0, 0, 0, 1]


async def test_bids_raise_the_price_and_only_the_outbid_hears_it(shop: Shop) -> None:
    auction = await start(shop, await shop.stock(1))
    first = await bid(shop, auction, SECOND, 15_000, is_max=True)
    assert (first.auction.price_minor, first.auction.leader_name) == (10_000, "Second")
    assert (first.own.standing, first.own.max_minor) == (Standing.LEADING, 15_000)
    pushed = await bid(shop, auction, WINNER, 12_000)
    assert (pushed.own.standing, pushed.auction.price_minor) == (Standing.OUTBID, 13_000)
    assert await shop.hear("bidding") == []
    lead = await bid(shop, auction, WINNER, 20_000, is_max=True)
    assert (lead.own.standing, lead.auction.price_minor, lead.auction.bids) == (
        "leading",
        16_000,
        3,
    )
    (told,) = await shop.hear("bidding")
    assert (told["audience"], told["person"], told["auction"]) == ("person", SECOND, auction.id)
    assert told["own"] == {"standing": "outbid", "max_minor": 15_000, "hold": None}
    public = [event["auction"] for event in await shop.hear("auction")]
    assert (public[-1]["price_minor"], public[-1]["leader"]) == (16_000, WINNER)
    assert "20000" not in repr(public)
    versions = [each["version"] for each in public]
    assert versions == sorted(set(versions))


async def test_a_raised_max_is_told_to_nobody(shop: Shop) -> None:
    auction = await start(shop, await shop.stock(1))
    before = (await bid(shop, auction, WINNER, 20_000, is_max=True)).auction
    told = len(await shop.hear("auction"))
    raised = await bid(shop, auction, WINNER, 40_000, is_max=True)
    assert (raised.auction.version, raised.auction.bids) == (before.version, 1)
    assert raised.own.max_minor == 40_000
    assert len(await shop.hear("auction")) == told


async def test_a_repeated_bid_counts_once(shop: Shop) -> None:
    auction = await start(shop, await shop.stock(1))
    once = await bid(shop, auction, WINNER, 10_000, key="k")
    again = await bid(shop, auction, WINNER, 10_000, key="k")
    assert (again.auction.version, again.auction.bids) == (once.auction.version, 1)
    with pytest.raises(Exception, match="idempotency_mismatch"):
        await bid(shop, auction, WINNER, 11_000, key="k")
    await bid(shop, auction, SECOND, 11_000)
    late = await bid(shop, auction, WINNER, 10_000, key="k")
    assert (late.own.standing, late.auction.bids) == (Standing.OUTBID, 2)


async def test_bids_that_are_refused_change_nothing(shop: Shop) -> None:
    product = await shop.stock(5, limit=1)
    auction = await start(shop, product)
    await bid(shop, auction, SECOND, 10_000)
    await shop.hold(product, buyer="has one")
    say = shop.cart.auctioning.bid

    def of(amount_minor: int) -> NewBid:
        return NewBid(amount_minor=amount_minor)

    assert await say(WINNER, auction.id, "k", of(10_999)) == TooLow(11_000)
    assert await say(SECOND, auction.id, "k", of(20_000)) == AlreadyLeading()
    assert await say(SELLER, auction.id, "k", of(20_000)) == OwnLot()
    assert await say("has one", auction.id, "k", of(20_000)) == LimitReached(product.id, 1)
    with pytest.raises(Forbidden):
        await say(BANNED, auction.id, "k", of(20_000))
    with pytest.raises(NotFound):
        await say(WINNER, "nothing", "k", of(20_000))
    assert (await shop.cart.auctioning.auction(auction.id)).version == 2


async def test_a_leading_bid_counts_against_the_limit_until_it_is_outbid(shop: Shop) -> None:
    """Whatever units are taken by: a hold, a wait, a bid in another show."""
    product = await shop.stock(3, limit=2)
    auction = await start(shop, product)
    await bid(shop, auction, WINNER, 10_000)
    await bid(shop, auction, WINNER, 20_000, is_max=True)
    ask = shop.ask
    assert await ask(product.id, buyer=WINNER, quantity=2) == LimitReached(product.id, 2)
    assert isinstance(await ask(product.id, buyer=WINNER, key="one"), Granted)
    shop.shows["morning"] = shop.shows[SHOW]
    chosen = NewAuction(sku=product.id, start_minor=10_000)
    opening = await shop.cart.auctioning.open(SELLER, "morning", "m", chosen)
    assert isinstance(opening, Opened)
    other = opening.auction.id
    again = await shop.cart.auctioning.bid(WINNER, other, "k", NewBid(amount_minor=10_000))
    assert again == LimitReached(product.id, 2)
    await shop.cart.auctioning.cancel(SELLER, other)
    await bid(shop, auction, SECOND, 30_000)
    assert isinstance(await ask(product.id, buyer=WINNER, key="another"), Granted)
    with pytest.raises(LimitReachedError):
        await shop.cart.waiting.join(SECOND, "w", product.id, 2)
    assert (await run_out(shop, auction)).leader == SECOND
    assert await ask(product.id, buyer=SECOND, quantity=2) == LimitReached(product.id, 2)


async def test_a_runner_up_who_may_have_no_more_is_passed_over(shop: Shop) -> None:
    product = await shop.stock(3, limit=1)
    auction = await start(shop, product, to_runner_up=True)
    for amount_minor, bidder in enumerate(("fourth", "third", SECOND, WINNER), start=10):
        await bid(shop, auction, bidder, amount_minor * 1_000)
    await shop.hold(product, buyer=SECOND)
    await run_out(shop, auction)
    await let_go(shop, "gives back")
    offered = await shop.cart.auctioning.auction(auction.id)
    assert (offered.state, offered.leader, offered.price_minor) == ("offered", "third", 11_000)


async def test_the_winner_orders_the_lot_at_its_price_and_pays(shop: Shop) -> None:
    product = await shop.stock(3)
    auction = await start(shop, product, quantity=2, claim_s=120)
    await bid(shop, auction, SECOND, 15_000)
    await bid(shop, auction, WINNER, 30_000, is_max=True)
    over = await run_out(shop, auction)
    assert (over.state, over.leader, over.price_minor) == (AuctionState.WON, WINNER, 16_000)
    (told,) = [e for e in await shop.hear("bidding") if e["person"] == WINNER]
    lot = await lot_of(shop, WINNER)
    assert lot is not None
    assert told["own"] == {"standing": "won", "max_minor": 30_000, "hold": lot.id}
    assert (lot.quantity, lot.price_minor, lot.show) == (2, 16_000, SHOW)
    assert 110_000 < lot.expires_at_ms - lot.now_ms <= 120_000
    order = await shop.order(lot, buyer=WINNER)
    await shop.pay(order, PaymentStanding.AUTHORIZED)
    paid = await shop.cart.checkout.confirm(WINNER, order.id)
    assert paid.state == OrderState.PAID
    assert paid.lines[0].price_minor * paid.lines[0].quantity == 32_000
    assert await shop.counters(product) == (1, 0, 2)


async def test_an_auction_without_bids_frees_its_lot(shop: Shop) -> None:
    product = await shop.stock(2)
    auction = await start(shop, product)
    over = await run_out(shop, auction)
    assert (over.state, over.leader) == (AuctionState.UNSOLD, None)
    assert await shop.counters(product) == (2, 0, 0)
    assert await shop.cart.auctioning.end_due() is False


async def test_it_is_called_off_by_its_seller_before_the_first_bid(shop: Shop) -> None:
    product = await shop.stock(1)
    auction = await start(shop, product)
    with pytest.raises(Forbidden):
        await shop.cart.auctioning.cancel(STRANGER, auction.id)
    for _ in range(2):
        off = await shop.cart.auctioning.cancel(SELLER, auction.id)
        assert off.state == AuctionState.CANCELLED
    assert await shop.counters(product) == (1, 0, 0)
    second = await start(shop, product, key="b")
    await bid(shop, second, WINNER, 10_000)
    with pytest.raises(Conflict):
        await shop.cart.auctioning.cancel(SELLER, second.id)
    assert await shop.counters(product) == (0, 1, 0)


async def test_the_shows_end_cancels_a_running_auction_and_frees_its_lot(shop: Shop) -> None:
    """Others might have bid more yet; the show goes on until it is over, and other shows do."""
    product = await shop.stock(1)
    auction = await start(shop, product)
    await bid(shop, auction, SECOND, 10_000)
    await bid(shop, auction, WINNER, 12_000)
    await shop.cart.follow_show(SHOW)
    await shop.cart.auctioning.follow_shows()
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.OPEN
    shop.shows[SHOW] = ShowFacts("camellia", "ended", ())
    for _ in range(2):
        await shop.cart.follow_show(SHOW)
    off = await shop.cart.auctioning.auction(auction.id)
    assert (off.state, off.leader) == (AuctionState.CANCELLED, WINNER)
    assert await shop.counters(product) == (1, 0, 0)
    assert await lot_of(shop, WINNER) is None
    told = [e for e in await shop.hear("bidding") if e["person"] == WINNER]
    assert [e["own"]["standing"] for e in told] == ["cancelled"]
    own = await shop.cart.auctioning.own(auction.id, WINNER)
    assert own is not None
    assert (own.standing, own.hold) == (Standing.CANCELLED, None)


async def test_the_shows_end_makes_the_leader_win_whose_clock_had_run_out(shop: Shop) -> None:
    """Although nobody has looked yet; the time to claim the lot is not the show's."""
    product = await shop.stock(1)
    auction = await start(shop, product)
    await bid(shop, auction, WINNER, 10_000)
    await shop.sql("UPDATE auctions SET ends_at = clock_timestamp()")
    del shop.shows[SHOW]
    await shop.cart.auctioning.follow_shows()
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.WON
    await shop.cart.auctioning.follow_show(SHOW)
    assert await lot_of(shop, WINNER) is not None
    assert await shop.counters(product) == (0, 1, 0)


async def let_go(shop: Shop, how: str) -> None:
    """The winner lets the lot go, in one of the ways there are."""
    lot = await lot_of(shop, WINNER)
    assert lot is not None
    if how == "expires":
        return await let_lapse(shop, lot)
    if how == "gives back":
        return await shop.cart.holding.release(WINNER, lot.id)
    order = await shop.order(lot, buyer=WINNER)
    if how == "cancels the order":
        await shop.cart.checkout.cancel(WINNER, order.id)
        return None
    return await let_lapse(shop, lot)


WAYS = ("expires", "gives back", "cancels the order", "lets the order expire")


@pytest.mark.parametrize("how", WAYS)
async def test_a_lot_let_go_is_offered_to_the_runner_up_at_once(shop: Shop, how: str) -> None:
    product = await shop.stock(2)
    auction = await start(shop, product, to_runner_up=True, claim_s=120)
    await bid(shop, auction, "third", 11_000)
    await bid(shop, auction, SECOND, 14_000, is_max=True)
    await bid(shop, auction, WINNER, 20_000)
    await run_out(shop, auction)
    await let_go(shop, how)
    offered = await shop.cart.auctioning.auction(auction.id)
    assert (offered.state, offered.leader, offered.price_minor) == ("offered", SECOND, 14_000)
    assert await shop.counters(product) == (1, 1, 0)
    assert all(event["free"] == 1 for event in await shop.hear("stock"))
    lot = await lot_of(shop, SECOND)
    assert lot is not None
    assert (lot.price_minor, await lot_of(shop, WINNER)) == (14_000, None)
    heard = {e["person"]: e["own"] for e in await shop.hear("bidding")}
    assert (heard[SECOND]["standing"], heard[SECOND]["hold"]) == ("offered", lot.id)
    assert (heard[WINNER]["standing"], heard[WINNER]["hold"]) == ("outbid", None)
    await let_lapse(shop, lot)
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.UNSOLD
    assert await shop.counters(product) == (2, 0, 0)
    assert await lot_of(shop, "third") is None


@pytest.mark.parametrize("how", WAYS)
async def test_a_lot_let_go_is_free_again_where_the_seller_wants_no_runner_up(
    shop: Shop, how: str
) -> None:
    product = await shop.stock(1)
    auction = await start(shop, product)
    await bid(shop, auction, SECOND, 10_000)
    await bid(shop, auction, WINNER, 20_000)
    await run_out(shop, auction)
    await let_go(shop, how)
    over = await shop.cart.auctioning.auction(auction.id)
    assert over.state == AuctionState.UNSOLD
    assert await shop.counters(product) == (1, 0, 0)
    own = await shop.cart.auctioning.own(auction.id, WINNER)
    assert own is not None
    assert own.standing == Standing.LAPSED


async def test_a_lot_that_was_paid_and_refunded_is_nobodys_heirloom(shop: Shop) -> None:
    product = await shop.stock(1)
    auction = await start(shop, product, to_runner_up=True)
    await bid(shop, auction, SECOND, 10_000)
    await bid(shop, auction, WINNER, 20_000)
    await run_out(shop, auction)
    lot = await lot_of(shop, WINNER)
    assert lot is not None
    order = await shop.order(lot, buyer=WINNER)
    await shop.pay(order, PaymentStanding.AUTHORIZED)
    await shop.cart.checkout.confirm(WINNER, order.id)
    await shop.cart.checkout.cancel(WINNER, order.id)
    assert await shop.counters(product) == (1, 0, 0)
    assert await lot_of(shop, SECOND) is None
    assert (await shop.cart.auctioning.auction(auction.id)).state == AuctionState.WON


async def test_the_runner_up_comes_before_those_who_wait_and_all_of_it_is_in_the_log(
    shop: Shop,
) -> None:
    product = await shop.stock(1)
    auction = await start(shop, product, to_runner_up=True)
    await bid(shop, auction, SECOND, 10_000)
    await bid(shop, auction, WINNER, 20_000)
    await shop.cart.waiting.join("patient", product.id, product.id, 1)
    await run_out(shop, auction)
    await let_go(shop, "gives back")
    heir = await lot_of(shop, SECOND)
    assert heir is not None
    assert await lot_of(shop, "patient") is None
    await let_lapse(shop, heir)
    offered = await lot_of(shop, "patient")
    assert offered is not None
    assert offered.price_minor == product.price_minor
    assert await SqlRecounts(Database(shop.engine)).whole() == []


@pytest.mark.parametrize("bad", ["", "no such", "x" * 65, "\x00"])
async def test_nothing_is_found_under_strange_names(shop: Shop, bad: str) -> None:
    with pytest.raises(NotFound):
        await shop.cart.auctioning.auction(bad)
    assert await shop.cart.auctioning.auctions(bad) == ()


async def test_a_forgotten_bidder_has_no_name_any_more(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cart.adapters.auctions.FORGOTTEN_LIMIT", 1)
    over = await start(shop, await shop.stock(1))
    await bid(shop, over, SECOND, 10_000)
    await bid(shop, over, WINNER, 12_000)
    await run_out(shop, over)
    running = await start(shop, await shop.stock(1), key="b")
    await bid(shop, running, WINNER, 10_000)
    address = await shop.cart.addressing.add(WINNER, RECIPIENT, usual=True)
    assert await shop.cart.addressing.addresses_of(WINNER) == [address]
    await shop.cart.forget(WINNER)
    assert await shop.cart.addressing.addresses_of(WINNER) == []
    for each in (over, running):
        now = await shop.cart.auctioning.auction(each.id)
        assert (now.leader, now.leader_name) == (WINNER, NAMELESS)
        names = {row.buyer: row.name for row in await bids_of(shop, each)}
        assert names.pop(WINNER) == NAMELESS
        assert names in ({SECOND: SECOND.title()}, {})
    assert (await shop.hear("auction"))[-1]["auction"]["leader_name"] == NAMELESS
    await bid(shop, running, SECOND, 12_000)
    await shop.cart.forget(WINNER)
    assert (await shop.cart.auctioning.auction(running.id)).leader_name == SECOND.title()


async def test_who_is_forgotten_is_not_looked_for_among_all_bids(shop: Shop) -> None:
    running = await start(shop, await shop.stock(1))
    await bid(shop, running, WINNER, 10_000)
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, said: Any, *_more: Any) -> None:
        asked.append((statement, said))

    event.listen(shop.engine.sync_engine, "before_cursor_execute", hear)
    await shop.cart.auctioning.forget(WINNER)
    event.remove(shop.engine.sync_engine, "before_cursor_execute", hear)
    about_bids = [one for one in asked if "auction_bids.buyer" in one[0]]
    assert len(about_bids) >= 2
    async with shop.engine.connect() as connection:
        # As if there were so many bids that reading them all were the last resort.
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, said in about_bids:
            plan = await connection.exec_driver_sql(f"EXPLAIN {statement}", said)
            told = "\n".join(plan.scalars())
            assert "ix_auction_bids_buyer" in told, told
            assert "Seq Scan" not in told, told
