"""From holds to an order: sums, deadlines, repeats, and who may do what."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text

from cart.core.coupon import CouponTerms
from cart.core.draft import ProductChange
from cart.core.order import OrderState, Recipient
from cart.core.payment import Standing
from cart.errors import (
    Conflict,
    Forbidden,
    HoldExpired,
    IdempotencyMismatch,
    Invalid,
    NotFound,
    OrderExpired,
)
from tests.cart.shop import BUYER, RECIPIENT, SELLER, STRANGER, Shop, waits_for_a_lock


async def test_order_sums_holds_of_the_same_product(shop: Shop) -> None:
    tea, cake = await shop.stock(5), await shop.stock(5, price_minor=7_500)
    holds = [
        await shop.hold(tea, key="a"),
        await shop.hold(cake, key="b"),
        await shop.hold(tea, key="c", quantity=2),
    ]
    order = await shop.order(*holds)
    assert [(line.product, line.quantity) for line in order.lines] == [(tea.id, 3), (cake.id, 1)]
    assert order.total_minor == 3 * 12_000 + 7_500
    assert order.state == OrderState.PLACED
    assert order.expires_at_ms > order.now_ms
    read = await shop.cart.checkout.order(BUYER, order.id)
    assert msgspec.structs.replace(read, now_ms=order.now_ms) == order


async def test_prices_are_those_of_the_hold(shop: Shop) -> None:
    tea = await shop.stock(5)
    cheap = await shop.hold(tea, key="a")
    await shop.cart.shopping.edit_product(SELLER, tea.id, ProductChange(price_minor=20_000))
    dear = await shop.hold(tea, key="b")
    order = await shop.order(cheap, dear)
    assert [line.price_minor for line in order.lines] == [12_000, 20_000]
    assert order.total_minor == 32_000


async def test_same_key_same_order(shop: Shop) -> None:
    tea = await shop.stock(5)
    hold, other = await shop.hold(tea, key="a"), await shop.hold(tea, key="b")
    orders = await asyncio.gather(*(shop.order(hold) for _ in range(5)))
    assert len({order.id for order in orders}) == 1
    with pytest.raises(IdempotencyMismatch):
        await shop.order(other)
    with pytest.raises(Conflict):
        await shop.order(hold, key="another key, the same hold".replace(" ", "-"))
    assert len(await shop.cart.checkout.orders_of(BUYER)) == 1


async def test_same_key_for_different_holds_at_once(shop: Shop) -> None:
    tea = await shop.stock(5)
    holds = [await shop.hold(tea, key=key) for key in "abcd"]
    answers = await asyncio.gather(*(shop.order(hold) for hold in holds), return_exceptions=True)
    assert sum(isinstance(answer, IdempotencyMismatch) for answer in answers) == 3
    assert len(await shop.cart.checkout.orders_of(BUYER)) == 1


async def test_what_cannot_be_ordered(shop: Shop) -> None:
    tea = await shop.stock(5)
    elsewhere = await shop.stock(5, slug="elsewhere")
    mine, foreign = await shop.hold(tea, key="a"), await shop.hold(elsewhere, key="b")
    theirs = await shop.hold(tea, buyer=STRANGER)
    place = shop.cart.checkout.place
    with pytest.raises(NotFound):
        await shop.order(mine, theirs)
    with pytest.raises(NotFound):
        await place(BUYER, "o", holds=["nul\x00"], recipient=RECIPIENT, total_minor=1)
    with pytest.raises(Conflict):
        await shop.order(mine, foreign)
    with pytest.raises(Invalid):
        await place(BUYER, "o", holds=[], recipient=RECIPIENT, total_minor=1)
    nameless = Recipient(name=" \x00 ", phone="010", postcode="03187", address="x")
    with pytest.raises(Invalid):
        await place(BUYER, "o", holds=[mine.id], recipient=nameless, total_minor=1)
    await shop.let_time_pass()
    with pytest.raises(HoldExpired):
        await shop.order(mine)


async def test_ordering_gives_one_new_deadline(shop: Shop) -> None:
    hold = await shop.hold(await shop.stock(1))
    await shop.sql("UPDATE holds SET expires_at = now() + interval '5 seconds'")
    order = await shop.order(hold)
    (live,) = (await shop.cart.holding.live(BUYER))[0]
    assert live.expires_at_ms == order.expires_at_ms
    assert order.expires_at_ms - order.now_ms > 290_000


async def test_orders_are_seen_by_buyer_and_seller_only(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    checkout = shop.cart.checkout
    assert (await checkout.order(SELLER, order.id)).recipient == RECIPIENT
    for act in (checkout.order, checkout.pay, checkout.confirm, checkout.cancel):
        with pytest.raises(NotFound):
            await act(STRANGER, order.id)
    for act in (checkout.pay, checkout.confirm, checkout.cancel):
        with pytest.raises(Forbidden):
            await act(SELLER, order.id)
    assert [one.id for one in await checkout.orders_for(SELLER, "camellia")] == [order.id]
    with pytest.raises(Forbidden):
        await checkout.orders_for(STRANGER, "camellia")
    assert await checkout.orders_of(STRANGER) == []


async def test_a_sellers_orders_go_back_page_by_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cart.checkout.ORDERS_LISTED_LIMIT", 2)
    tea = await shop.stock(5)
    made = [await shop.order(await shop.hold(tea, key=key), key=key) for key in "abcde"]
    last = sorted(order.id for order in made[:3])
    # Three of one moment, which only their ids part.
    moment = "(SELECT min(created_at) FROM orders)"
    same = ", ".join(f"'{order}'" for order in last)
    await shop.sql(f"UPDATE orders SET created_at = {moment} WHERE id IN ({same})")
    seen: list[str] = []
    while page := await shop.cart.checkout.orders_for(SELLER, "camellia", seen[-1] if seen else ""):
        seen += [order.id for order in page]
    assert seen[:2] == [made[4].id, made[3].id]
    assert sorted(seen[2:]) == last
    elsewhere = await shop.order(
        await shop.hold(await shop.stock(1, slug="elsewhere"), key="f"), key="f"
    )
    assert await shop.cart.checkout.orders_for(SELLER, "camellia", elsewhere.id) == []
    with pytest.raises(Invalid):
        await shop.cart.checkout.orders_for(SELLER, "camellia", "nul\x00")


async def test_cancelling_returns_units_once(shop: Shop) -> None:
    tea = await shop.stock(2)
    order = await shop.order(await shop.hold(tea, quantity=2))
    cancels = (shop.cart.checkout.cancel(BUYER, order.id) for _ in range(4))
    answers = await asyncio.gather(*cancels)
    assert {answer.state for answer in answers} == {OrderState.CANCELLED}
    assert await shop.counters(tea) == (2, 0, 0)
    with pytest.raises(Conflict):
        await shop.cart.checkout.pay(BUYER, order.id)
    assert await shop.hear("order") == [], "an unpaid order is not the seller's business"


async def test_cancelling_a_paid_order_returns_units_and_money(shop: Shop) -> None:
    tea = await shop.stock(1)
    order = await shop.order(await shop.hold(tea))
    payment = await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.checkout.confirm(BUYER, order.id)
    assert await shop.counters(tea) == (0, 0, 1)
    cancelled = await shop.cart.checkout.cancel(BUYER, order.id)
    assert cancelled.state == OrderState.CANCELLED
    assert await shop.counters(tea) == (1, 0, 0)
    assert cancelled.refunded_minor == 12_000
    await shop.cart.refunding.rounds.play()
    assert await shop.standing(payment) == Standing.CANCELLED
    assert [event["order"]["state"] for event in await shop.hear("order")] == [
        *("paid", "cancelled", "cancelled")
    ]


async def test_paying_twice_leads_to_the_same_page(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    pages = await asyncio.gather(*(shop.cart.checkout.pay(BUYER, order.id) for _ in range(4)))
    assert len(set(pages)) == 1
    with pytest.raises(Invalid):
        await shop.cart.checkout.pay(BUYER, order.id, "no-such-provider")


async def test_late_orders_are_not_paid(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.let_time_pass()
    with pytest.raises(OrderExpired):
        await shop.cart.checkout.pay(BUYER, order.id)
    await shop.cart.expiry.sweep()
    with pytest.raises(OrderExpired):
        await shop.cart.checkout.pay(BUYER, order.id)
    with pytest.raises(OrderExpired):
        await shop.cart.checkout.cancel(BUYER, order.id)


async def test_who_has_paid_has_bought_in_that_store(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    bought = shop.cart.has_bought
    assert not await bought(BUYER, "camellia")
    payment = await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.settling.settle(payment)
    assert await bought(BUYER, "camellia")
    assert not await bought(BUYER, "elsewhere")
    assert not await bought(STRANGER, "camellia")
    await shop.cart.checkout.cancel(BUYER, order.id)
    assert not await bought(BUYER, "camellia")


async def test_an_order_of_nothing_is_sold_in_everybodys_order_of_locks(shop: Shop) -> None:
    """Products come before holds: whoever has the product and wants the hold gets it."""
    await shop.stock(1)
    await shop.cart.couponing.make(SELLER, "camellia", CouponTerms(code="GIFT", percent=100))
    tea = await shop.stock(1, price_minor=1_000)
    hold = await shop.hold(tea)
    order = await shop.order(hold, off_minor=1_000, coupon="GIFT")
    async with shop.engine.begin() as connection:
        lock = "SELECT FROM {} WHERE id = :id FOR NO KEY UPDATE NOWAIT"
        await connection.execute(text(lock.format("products")), {"id": tea.id})
        paying = asyncio.create_task(shop.cart.checkout.pay(BUYER, order.id))
        await waits_for_a_lock(shop.engine)
        await connection.execute(text(lock.format("holds")), {"id": hold.id})
    await paying
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PAID
