"""Coupons and points along an order's life: taken and given back with it, never from nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cart.adapters import discounts
from cart.adapters.money_recount import recount_coupons, recount_points
from cart.core.coupon import Coupon, CouponTerms
from cart.core.delivery import Delivery
from cart.core.order import Order, OrderState
from cart.core.payment import Standing
from cart.core.points import Wallet
from cart.core.quote import refund_split
from cart.core.refund import RefundLine, RefundWish
from cart.errors import CouponRefused, NotEnoughPoints, PriceChanged
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop


async def coupon(shop: Shop, **terms: Any) -> Coupon:
    """A coupon of the shop's, 2,000 won off unless said otherwise."""
    usual: dict[str, Any] = {"code": "BLOOM", "amount_minor": 2_000}
    return await shop.cart.couponing.make(SELLER, "camellia", CouponTerms(**(usual | terms)))


async def used(shop: Shop) -> int:
    """How often the shop's only coupon is used."""
    (one,) = await shop.cart.couponing.coupons_of(SELLER, "camellia")
    return one.used


async def paid(shop: Shop, order: Order) -> Order:
    """The order, paid in the sandbox."""
    await shop.pay(order, Standing.AUTHORIZED)
    return await shop.cart.checkout.confirm(order.buyer, order.id)


async def balanced(shop: Shop) -> None:
    """Purses are what the journal says."""
    assert await recount_points(shop.engine) == []
    assert await recount_coupons(shop.engine) == []


async def give(shop: Shop, buyer: str, points: int) -> None:
    """Let a buyer earn points and let them ripen."""
    tea = await shop.stock(1, price_minor=points * 100)
    order = await shop.order(await shop.hold(tea, buyer=buyer, key="e"), buyer=buyer, key="e")
    await paid(shop, order)
    await shop.sql("UPDATE point_earnings SET ripe_at = now() WHERE buyer = :b", b=buyer)
    assert await shop.cart.points.ripen(10) == 1


async def test_a_coupon_is_used_by_the_order_and_returned_when_it_expires(shop: Shop) -> None:
    hold = await shop.hold(await shop.stock(1))
    await coupon(shop)
    order = await shop.order(hold, coupon="bloom", off_minor=2_000)
    assert (order.coupon, order.coupon_minor, order.total_minor) == ("BLOOM", 2_000, 10_000)
    assert await used(shop) == 1
    await shop.let_time_pass()
    assert await shop.cart.expiry.sweep() is False
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.EXPIRED
    assert await used(shop) == 0


async def test_a_cancelled_order_returns_its_coupon_once(shop: Shop) -> None:
    hold = await shop.hold(await shop.stock(1))
    await coupon(shop)
    order = await shop.order(hold, coupon="BLOOM", off_minor=2_000)
    await asyncio.gather(*(shop.cart.checkout.cancel(BUYER, order.id) for _ in range(4)))
    assert await used(shop) == 0


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"code": "OTHER"}, "unknown"),
        ({"ends_at_ms": 1}, "over"),
        ({"starts_at_ms": 32_000_000_000_000}, "not_yet"),
        ({"minimum_minor": 12_001}, "below_minimum"),
        ({"show": "s"}, "other_show"),
    ],
)
async def test_coupons_that_do_not_count(shop: Shop, terms: dict[str, Any], reason: str) -> None:
    hold = await shop.hold(await shop.stock(1))
    await coupon(shop, **terms)
    for act in (
        shop.cart.checkout.quote(BUYER, holds=[hold.id], coupon="BLOOM"),
        shop.order(hold, coupon="BLOOM", off_minor=2_000),
    ):
        with pytest.raises(CouponRefused) as caught:
            await act
        assert caught.value.facts["reason"] == reason


async def test_one_use_each_and_none_after_the_end(shop: Shop) -> None:
    tea = await shop.stock(3)
    made = await coupon(shop)
    holds = [await shop.hold(tea, key=key) for key in "ab"]
    await shop.order(holds[0], key="a", coupon="BLOOM", off_minor=2_000)
    with pytest.raises(CouponRefused) as caught:
        await shop.order(holds[1], key="b", coupon="BLOOM", off_minor=2_000)
    assert caught.value.facts["reason"] == "used_by_you"
    await shop.cart.couponing.end(SELLER, "camellia", made.id)
    theirs = await shop.hold(tea, buyer=STRANGER)
    with pytest.raises(CouponRefused) as caught:
        await shop.order(theirs, buyer=STRANGER, coupon="BLOOM", off_minor=2_000)
    assert caught.value.facts["reason"] == "over"


async def race(shop: Shop, buyers: int) -> list[Order | BaseException]:
    """That many buyers order at once with a coupon of which one use is left."""
    tea = await shop.stock(buyers)
    await coupon(shop, uses_limit=1)
    names = [f"buyer{number}" for number in range(buyers)]
    holds = [await shop.hold(tea, buyer=name) for name in names]
    orders = [
        shop.order(hold, buyer=name, coupon="BLOOM", off_minor=2_000)
        for name, hold in zip(names, holds, strict=True)
    ]
    return list(await asyncio.gather(*orders, return_exceptions=True))


async def test_the_last_use_is_one_buyer_s(shop: Shop) -> None:
    answers = await race(shop, 6)
    assert sum(isinstance(answer, Order) for answer in answers) == 1
    refused = [answer for answer in answers if isinstance(answer, CouponRefused)]
    assert [error.facts["reason"] for error in refused] == ["used_up"] * 5
    assert await used(shop) == 1


async def test_control_without_the_lock_the_last_use_is_two_buyers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.sql("ALTER TABLE coupons DROP CONSTRAINT ck_coupons_uses")
    both = asyncio.Barrier(2)
    read: Callable[..., Awaitable[Any]] = discounts.read_facts

    async def unguarded(*said: Any, **more: Any) -> Any:
        facts = await read(*said, **(more | {"lock": False}))
        await both.wait()
        return facts

    monkeypatch.setattr(discounts, "read_facts", unguarded)
    answers = await race(shop, 2)
    assert all(isinstance(answer, Order) for answer in answers)
    assert await used(shop) == 2


async def test_points_are_earned_ripen_and_are_spent(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)
    hold = await shop.hold(await shop.stock(1), key="h")
    order = await shop.order(hold, points_minor=500, off_minor=500)
    assert await shop.cart.points.wallet(BUYER) == Wallet(reserved_minor=500)
    settled = await paid(shop, order)
    assert (settled.points_minor, settled.total_minor, settled.earns_minor) == (500, 11_500, 115)
    assert await shop.cart.points.wallet(BUYER) == Wallet(pending_minor=115)
    assert [entry.reason for entry in await shop.cart.points.entries(BUYER, 10)] == [
        *("earn", "spend", "reserve", "ripen", "earn")
    ]
    await balanced(shop)


async def test_points_come_back_when_the_order_expires(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    hold = await shop.hold(await shop.stock(1), key="h")
    await shop.order(hold, points_minor=300, off_minor=300)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await shop.cart.expiry.sweep()
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)
    await balanced(shop)


async def test_a_paid_order_that_is_cancelled_gives_points_back_and_takes_its_own(
    shop: Shop,
) -> None:
    await give(shop, BUYER, 500)
    hold = await shop.hold(await shop.stock(1), key="h")
    order = await paid(shop, await shop.order(hold, points_minor=300, off_minor=300))
    await shop.cart.checkout.cancel(BUYER, order.id)
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)
    await balanced(shop)


async def test_points_earned_and_spent_are_not_asked_for_again(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    (first,) = await shop.cart.checkout.orders_of(BUYER)
    hold = await shop.hold(await shop.stock(1), key="h")
    await paid(shop, await shop.order(hold, points_minor=400, off_minor=400))
    await shop.cart.checkout.cancel(BUYER, first.id)
    wallet = await shop.cart.points.wallet(BUYER)
    assert (wallet.ready_minor, wallet.reserved_minor) == (0, 0)
    await balanced(shop)


async def test_nobody_spends_points_twice(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    tea = await shop.stock(4)
    holds = [await shop.hold(tea, key=key) for key in "abcd"]
    orders = [shop.order(hold, key=hold.id, points_minor=300, off_minor=300) for hold in holds]
    answers = await asyncio.gather(*orders, return_exceptions=True)
    assert sum(isinstance(answer, Order) for answer in answers) == 1
    short = [answer for answer in answers if isinstance(answer, NotEnoughPoints)]
    assert [error.facts["ready_minor"] for error in short] == [200] * 3
    await balanced(shop)


async def test_an_order_of_nothing_is_paid_without_a_provider(shop: Shop) -> None:
    await give(shop, BUYER, 12_000)
    tea = await shop.stock(1)
    hold = await shop.hold(tea, key="h")
    order = await shop.order(hold, points_minor=12_000, off_minor=12_000)
    assert (order.total_minor, order.state) == (0, OrderState.PLACED)
    for _ in range(2):
        assert await shop.cart.checkout.pay(BUYER, order.id) == f"/orders/{order.id}"
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PAID
    assert await shop.counters(tea) == (0, 0, 1)
    assert await shop.cart.points.wallet(BUYER) == Wallet()
    cancelled = await shop.cart.checkout.cancel(BUYER, order.id)
    assert cancelled.state == OrderState.CANCELLED
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=12_000)
    assert await shop.counters(tea) == (1, 0, 0)
    await balanced(shop)


async def test_parts_of_an_order_give_back_their_part(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    hold = await shop.hold(await shop.stock(3), key="h", quantity=3)
    placed = await shop.order(hold, points_minor=500, off_minor=500)
    order = await paid(shop, placed)
    assert order.earns_minor == 355
    split = refund_split(order, back=[1], before=[0])
    part = RefundWish(lines=(RefundLine(line=0, quantity=1),))
    after = await shop.cart.checkout.refund(
        SELLER, "r", order.id, wish=part, restock=True, reason=""
    )
    assert after.refunded_minor == split.money_minor
    assert (split.money_minor, split.points_minor) == (11_833, 166)
    assert await shop.cart.points.wallet(BUYER) == Wallet(
        ready_minor=split.points_minor, pending_minor=355 - 118
    )
    await shop.cart.checkout.cancel(BUYER, order.id)
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)
    await balanced(shop)


async def refund(shop: Shop, order: Order, key: str, wish: RefundWish, *, restock: bool) -> Order:
    """The order after its seller gave something back, and the provider with it."""
    said: dict[str, Any] = {"wish": wish, "restock": restock, "reason": ""}
    after = await shop.cart.checkout.refund(SELLER, key, order.id, **said)
    await balanced(shop)
    return after


async def test_money_without_units_takes_back_what_it_earned_and_nothing_that_was_spent(
    shop: Shop,
) -> None:
    await give(shop, BUYER, 500)
    hold = await shop.hold(await shop.stock(2), key="h", quantity=2)
    order = await paid(shop, await shop.order(hold, points_minor=500, off_minor=500))
    assert (order.total_minor, order.earns_minor) == (23_500, 235)
    await refund(shop, order, "a", RefundWish(amount_minor=2_350), restock=True)
    assert await shop.cart.points.wallet(BUYER) == Wallet(pending_minor=235 - 23)
    await refund(shop, order, "b", RefundWish(amount_minor=21_150), restock=True)
    assert await shop.cart.points.wallet(BUYER) == Wallet()
    after = await refund(shop, order, "c", RefundWish(), restock=True)
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, 23_500)
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)


@pytest.mark.parametrize("restocked", [(True, True), (False, False), (False, True), (True, False)])
async def test_with_the_last_unit_all_points_and_the_coupon_are_back(
    shop: Shop, restocked: tuple[bool, bool]
) -> None:
    await give(shop, BUYER, 500)
    await coupon(shop)
    hold = await shop.hold(await shop.stock(2), key="h", quantity=2)
    wish: dict[str, Any] = {"coupon": "BLOOM", "points_minor": 500}
    order = await paid(shop, await shop.order(hold, off_minor=2_500, **wish))
    one = RefundWish(lines=(RefundLine(line=0, quantity=1),))
    await refund(shop, order, "a", one, restock=restocked[0])
    assert await used(shop) == 1
    after = await refund(shop, order, "b", one, restock=restocked[1])
    assert after.state == (OrderState.CANCELLED if all(restocked) else OrderState.PAID)
    assert await used(shop) == 0
    assert await shop.cart.points.wallet(BUYER) == Wallet(ready_minor=500)


async def test_the_total_the_buyer_saw_is_the_one_that_counts(shop: Shop) -> None:
    hold = await shop.hold(await shop.stock(1))
    quote = await shop.cart.checkout.quote(BUYER, holds=[hold.id], postcode="63000")
    assert quote.total_minor == 12_000
    terms = Delivery(fee_minor=3_000, remote_fee_minor=4_000, free_from_minor=20_000)
    await shop.cart.shopping.edit_store(SELLER, "camellia", delivery=terms)
    with pytest.raises(PriceChanged) as caught:
        await shop.order(hold)
    assert caught.value.facts["quote"]["total_minor"] == 15_000
    order = await shop.order(hold, off_minor=-3_000)
    assert (order.delivery_minor, order.total_minor) == (3_000, 15_000)
    far = await shop.cart.checkout.quote(
        STRANGER,
        holds=[(await shop.hold(await shop.stock(1), buyer=STRANGER)).id],
        postcode="63000",
    )
    assert (far.delivery_minor, far.total_minor) == (7_000, 19_000)


async def test_order_and_quote_say_the_same(shop: Shop) -> None:
    await give(shop, BUYER, 500)
    await coupon(shop, percent=7, amount_minor=None)
    tea, cake = await shop.stock(2, price_minor=3_333), await shop.stock(2, price_minor=7_777)
    holds = [await shop.hold(tea, key="a", quantity=2), await shop.hold(cake, key="b")]
    said: dict[str, Any] = {"coupon": "BLOOM", "points_minor": 123}
    quote = await shop.cart.checkout.quote(BUYER, holds=[hold.id for hold in holds], **said)
    off = 2 * 3_333 + 7_777 - quote.total_minor
    order = await shop.order(*holds, off_minor=off, **said)
    for name in quote.__struct_fields__:
        assert getattr(order, name) == getattr(quote, name)
    held, _ = await shop.cart.checkout.held(BUYER, "camellia")
    assert held == []
