"""A request repeated with its key gets the first answer, whatever became of the world since.

Each story asks for something, lets happen what would refuse a new request, and asks once more.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from cart.adapters.auction_routes import opened
from cart.adapters.routes import granted
from cart.core.auction import NewAuction
from cart.core.bulk import Report
from cart.core.coupon import CouponTerms
from cart.core.deal import Deal, DealKind
from cart.core.draft import NewProduct, ProductChange
from cart.core.order import Order, OrderState
from cart.core.payment import Standing
from cart.core.refund import RefundWish
from cart.core.waitlist import Wait
from cart.dealing import Terms
from cart.errors import IdempotencyMismatch
from cart.ports.deals import ShowFacts
from tests.cart import saleroom
from tests.cart.shop import BUYER, SELLER, Shop, waits_for_a_lock

SHOW = saleroom.SHOW
Answers = tuple[object, object]
"""What was told first, and again."""

CHEAPER = ProductChange(price_minor=2_000)


async def announced(shop: Shop) -> Answers:
    """The show is over, the price is below the deal's, and the show no longer has the product."""
    tea = await shop.stock(5)
    saleroom.hall(shop)
    told: tuple[list[str], list[str]] = ([], [])
    flash = {"price_minor": 6_000, "units": 5, "length_s": 60, "starts_in_s": 10}
    for kind, said in ((DealKind.FLASH, flash), (DealKind.LIVE, {"percent_off": 10})):
        terms = Terms(product=tea.id, kind=kind, **said)  # type: ignore[arg-type]
        key = str(kind)
        first = await shop.cart.dealing.announce(SELLER, SHOW, key, terms)
        await shop.cart.shopping.edit_product(SELLER, tea.id, CHEAPER)
        shop.shows[SHOW] = ShowFacts("camellia", "ended", ("another",))
        again = await shop.cart.dealing.announce(SELLER, SHOW, key, terms)
        told[0].append(first.id)
        told[1].append(again.id)
        other = Terms(product=tea.id, kind=kind, **(said | {"limit_per_buyer": 3}))  # type: ignore[arg-type]
        with pytest.raises(IdempotencyMismatch):
            await shop.cart.dealing.announce(SELLER, SHOW, key, other)
        await shop.cart.dealing.end(SELLER, first.id)
        await shop.cart.shopping.edit_product(SELLER, tea.id, ProductChange(price_minor=12_000))
        saleroom.hall(shop)
    return told


async def auctioned(shop: Shop) -> Answers:
    """The auction and its show are over, and the lot is sold out."""
    tea = await shop.stock(1)
    first = await saleroom.start(shop, tea)
    await saleroom.bid(shop, first, BUYER, 10_000)
    await saleroom.run_out(shop, first)
    shop.shows[SHOW] = ShowFacts("camellia", "ended", ())
    chosen = NewAuction(sku=tea.id, start_minor=10_000)
    again = opened(await shop.cart.auctioning.open(SELLER, SHOW, "a", chosen))
    chosen = NewAuction(sku=tea.id, start_minor=9_000)
    with pytest.raises(IdempotencyMismatch):
        opened(await shop.cart.auctioning.open(SELLER, SHOW, "a", chosen))
    return first.id, again.id


async def bid(shop: Shop) -> Answers:
    """Others bid more, and the auction is over."""
    auction = await saleroom.start(shop, await shop.stock(1))
    first = await saleroom.bid(shop, auction, BUYER, 10_000, key="k")
    await saleroom.bid(shop, auction, "richer", 20_000)
    await saleroom.run_out(shop, auction)
    again = await saleroom.bid(shop, auction, BUYER, 10_000, key="k")
    assert (again.auction.leader, again.auction.bids) == ("richer", 2)
    return first.auction.id, again.auction.id


async def made_a_coupon(shop: Shop) -> Answers:
    """The coupon has ended, and is used up."""
    await shop.stock(1)
    terms = CouponTerms(code="BLOOM", percent=10, uses_limit=1)
    first = await shop.cart.couponing.make(SELLER, "camellia", terms)
    await shop.cart.couponing.end(SELLER, "camellia", first.id)
    again = await shop.cart.couponing.make(SELLER, "camellia", terms)
    return first.id, again.id


async def put_on_sale(shop: Shop) -> Answers:
    """Its code is taken, by itself, and its price is another by now."""
    await shop.stock(1)
    said = NewProduct(title="튤립", price_minor=9_000, stock=3, code="T1")

    async def add(said: NewProduct = said) -> str:
        return (await shop.cart.shopping.add_product(SELLER, "camellia", "k", said)).id

    first, *others = await asyncio.gather(*(add() for _ in range(4)))
    await shop.cart.shopping.edit_product(SELLER, first, CHEAPER)
    with pytest.raises(IdempotencyMismatch):
        await add(NewProduct(title="튤립", price_minor=9_000, stock=4, code="T1"))
    assert len(await shop.cart.shopping.products_in("camellia")) == 2
    return [first] * 4, [*others, await add()]


async def corrected(shop: Shop) -> Answers:
    """Nothing is free any more that could be taken away."""
    tea = await shop.stock(2)
    first = await shop.restock(tea, -1, key="k")
    await shop.hold(tea)
    again = await shop.restock(tea, -1, key="k")
    with pytest.raises(IdempotencyMismatch):
        await shop.restock(tea, -2, key="k")
    return first.on_hand, again.on_hand


async def brought_in(shop: Shop) -> Answers:
    """Of what its sender saw free nothing is."""
    tea = await shop.stock(3)
    sheet = f"product,sku,free,free_seen\n{tea.id},{tea.id},1,3\n".encode()

    async def bring_in() -> Report:
        return await shop.cart.importing.bring_in(SELLER, "camellia", "k", sheet, dry_run=False)

    first = await bring_in()
    await shop.hold(tea)
    assert first.applied
    return first, await bring_in()


async def paid(shop: Shop) -> Order:
    """An order of one unit that is paid."""
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.pay(order, Standing.AUTHORIZED)
    return await shop.cart.checkout.confirm(BUYER, order.id)


async def refunded(shop: Shop) -> Answers:
    """Nothing is left that could go back."""
    order = await paid(shop)

    async def refund() -> Order:
        wish = RefundWish(amount_minor=12_000)
        refund = shop.cart.checkout.refund
        return await refund(SELLER, "k", order.id, wish=wish, restock=False, reason="")

    first = await refund()
    await shop.cart.refunding.rounds.play()
    again = await refund()
    return [one.id for one in first.refunds], [one.id for one in again.refunds]


async def held(shop: Shop) -> Answers:
    """It is given back, sold to others and dearer."""
    tea = await shop.stock(1)
    first = await shop.hold(tea)
    await shop.cart.holding.release(BUYER, first.id)
    await shop.hold(tea, buyer="quicker")
    await shop.cart.shopping.edit_product(SELLER, tea.id, ProductChange(price_minor=20_000))
    (again,) = granted(await shop.ask(tea.id))
    return (first.id, first.price_minor), (again.id, again.price_minor)


async def ordered(shop: Shop) -> Answers:
    """It is paid, and its holds are nobody's to order any more."""
    tea = await shop.stock(1)
    hold = await shop.hold(tea)
    first = await shop.order(hold)
    await shop.pay(first, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, first.id)
    again = await shop.order(hold)
    assert again.state == OrderState.PAID
    with pytest.raises(IdempotencyMismatch):
        await shop.order(hold, off_minor=1)
    return first.id, again.id


async def waited(shop: Shop) -> Answers:
    """The offer came and went, and units are free."""
    tea = await shop.stock(1)
    taken = await shop.hold(tea, buyer="quicker")

    async def join() -> Wait:
        return await shop.cart.waiting.join(BUYER, "k", tea.id, 1)

    first = await join()
    await shop.cart.holding.release("quicker", taken.id)
    await shop.cart.waiting.leave(BUYER, first.id)
    return first.id, (await join()).id


STORIES = (
    *(announced, auctioned, bid, made_a_coupon, put_on_sale, corrected, brought_in),
    *(refunded, held, ordered, waited),
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_what_was_done_is_told_again(
    shop: Shop, story: Callable[[Shop], Awaitable[Answers]]
) -> None:
    first, again = await story(shop)
    assert first
    assert first == again


async def test_one_key_for_deals_of_two_products_at_once_is_one_deal(shop: Shop) -> None:
    """They wait for different products' locks, so only the key can tell the second."""
    teas = [await shop.stock(5) for _ in range(4)]
    saleroom.hall(shop)

    async def announce(product: str) -> Deal:
        terms = Terms(product=product, kind=DealKind.LIVE, percent_off=10)
        return await shop.cart.dealing.announce(SELLER, SHOW, "k", terms)

    async with shop.engine.begin() as connection:
        await connection.execute(text("SELECT FROM products FOR NO KEY UPDATE"))
        asked = [asyncio.create_task(announce(tea.id)) for tea in teas]
        await waits_for_a_lock(shop.engine, len(teas))
    ends = await asyncio.gather(*asked, return_exceptions=True)
    kept = [end for end in ends if isinstance(end, Deal)]
    refused = [end for end in ends if isinstance(end, IdempotencyMismatch)]
    assert (len(kept), len(refused)) == (1, 3)
