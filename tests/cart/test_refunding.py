"""Refunds over the sandbox: money, units and words go back together, and never twice."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from cart.adapters import refunds as adapter
from cart.adapters.database import Database
from cart.adapters.money_recount import recount_money
from cart.adapters.payment_sandbox import Trick
from cart.adapters.refunds import SqlRefundBook
from cart.core.catalog import Product
from cart.core.order import Order, OrderState
from cart.core.payment import Standing
from cart.core.refund import Going, RefundLine, RefundState, RefundWish
from cart.errors import Conflict, Forbidden, IdempotencyMismatch, Invalid, NotFound, TooMany
from cart.ports.payments import ProviderSilent, Repayment
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop

WHOLE = RefundWish()


async def paid(
    shop: Shop, *quantities: int, trick: Trick = Trick.NONE
) -> tuple[Order, list[Product]]:
    """A paid order of so many units of as many products."""
    wares = [await shop.stock(10, price_minor=1_000 * (n + 1)) for n in range(len(quantities))]
    holds = [
        await shop.hold(ware, key=f"k{n}", quantity=quantity)
        for n, (ware, quantity) in enumerate(zip(wares, quantities, strict=True))
    ]
    order = await shop.order(*holds)
    payment = await shop.pay(order, Standing.AUTHORIZED, trick)
    await shop.cart.settling.settle(payment)
    if trick == Trick.SILENT:
        await shop.cart.settling.settle(payment)
    return await shop.cart.checkout.order(BUYER, order.id), wares


def some(*lines: tuple[int, int], amount_minor: int | None = None) -> RefundWish:
    """So many units of these lines."""
    back = tuple(RefundLine(line=line, quantity=quantity) for line, quantity in lines)
    return RefundWish(back, amount_minor)


async def refund(
    shop: Shop,
    order: Order,
    wish: RefundWish,
    *,
    by: str = SELLER,
    key: str = "r",
    restock: bool = True,
) -> Order:
    """Ask for a refund; the order afterwards."""
    return await shop.cart.checkout.refund(by, key, order.id, wish=wish, restock=restock, reason="")


async def test_a_part_goes_back_with_its_money_and_its_units(shop: Shop) -> None:
    order, (tea, cake) = await paid(shop, 3, 2)
    after = await refund(shop, order, some((0, 2), (1, 1)))
    assert (after.state, after.refunded_minor) == (OrderState.PAID, 2 * 1_000 + 2_000)
    assert [one.state for one in after.refunds] == [RefundState.REQUESTED]
    assert (await shop.counters(tea), await shop.counters(cake)) == ((9, 0, 1), (9, 0, 1))
    await shop.cart.refunding.rounds.play()
    (done,) = (await shop.cart.checkout.order(BUYER, order.id)).refunds
    assert (done.state, done.restocked) == (RefundState.DONE, True)
    told = await shop.hear("refund")
    assert [(event["audience"], event["state"]) for event in told] == [
        *(("seller", "requested"), ("person", "requested")),
        *(("seller", "done"), ("person", "done")),
    ]
    assert {event["person"] for event in told if "person" in event} == {BUYER}
    assert await recount_money(shop.engine) == []


async def test_all_parts_are_the_whole(shop: Shop) -> None:
    order, (tea, cake) = await paid(shop, 3, 1)
    for number, wish in enumerate((some((0, 1)), some((0, 1)), some((1, 1)), some((0, 1)))):
        after = await refund(shop, order, wish, key=f"r{number}")
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, order.total_minor)
    assert (await shop.counters(tea), await shop.counters(cake)) == ((10, 0, 0), (10, 0, 0))
    with pytest.raises(Conflict):
        await refund(shop, order, WHOLE, key="more")
    assert await recount_money(shop.engine) == []


async def test_returned_units_no_longer_count_against_the_buyers_limit(shop: Shop) -> None:
    tea = await shop.stock(9, limit=2)
    order = await shop.order(await shop.hold(tea, quantity=2))
    await shop.cart.settling.settle(await shop.pay(order, Standing.AUTHORIZED))
    await refund(shop, order, some((0, 1)))
    assert (await shop.hold(tea, key="again")).quantity == 1


async def test_buyer_has_the_whole_back_or_nothing(shop: Shop) -> None:
    order, (tea,) = await paid(shop, 2)
    with pytest.raises(Forbidden):
        await refund(shop, order, some((0, 1)), by=BUYER)
    with pytest.raises(Forbidden):
        await refund(shop, order, WHOLE, by=BUYER, restock=False)
    with pytest.raises(NotFound):
        await refund(shop, order, WHOLE, by=STRANGER)
    after = await refund(shop, order, WHOLE, by=BUYER)
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, 2_000)
    assert await shop.counters(tea) == (10, 0, 0)


async def test_damaged_goods_are_not_sold_again(shop: Shop) -> None:
    order, (tea,) = await paid(shop, 2)
    after = await refund(shop, order, some((0, 2)), restock=False)
    assert (after.state, after.refunded_minor) == (OrderState.PAID, 2_000)
    assert await shop.counters(tea) == (8, 0, 2)
    with pytest.raises(Conflict):
        await refund(shop, order, some((0, 1)), key="again")


async def test_an_amount_alone_is_bounded_by_what_is_left(shop: Shop) -> None:
    order, (tea,) = await paid(shop, 2)
    await refund(shop, order, RefundWish(amount_minor=500))
    with pytest.raises(Conflict) as refused:
        await refund(shop, order, RefundWish(amount_minor=1_501), key="more")
    assert refused.value.facts == {"left_minor": 1_500}
    assert await shop.counters(tea) == (8, 0, 2)
    after = await refund(shop, order, WHOLE, key="rest")
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, 2_000)


async def test_same_key_same_refund_also_at_once(shop: Shop) -> None:
    order, (tea,) = await paid(shop, 3)
    asked = (refund(shop, order, some((0, 1))) for _ in range(5))
    answers = await asyncio.gather(*asked)
    assert {answer.refunded_minor for answer in answers} == {1_000}
    assert await shop.counters(tea) == (8, 0, 2)
    with pytest.raises(IdempotencyMismatch):
        await refund(shop, order, some((0, 2)))
    assert (await refund(shop, order, WHOLE, by=BUYER)).state == OrderState.CANCELLED


async def test_many_refunds_at_once_give_back_no_more_than_came(shop: Shop) -> None:
    order, (tea,) = await paid(shop, 3)
    asked = (refund(shop, order, some((0, 1)), key=f"r{n}") for n in range(6))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 3
    await shop.cart.refunding.rounds.play()
    after = await shop.cart.checkout.order(BUYER, order.id)
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, 3_000)
    assert await shop.counters(tea) == (10, 0, 0)
    assert await recount_money(shop.engine) == []


async def test_the_database_refuses_to_give_back_more_than_came(shop: Shop) -> None:
    await paid(shop, 1)
    with pytest.raises(IntegrityError):
        await shop.sql("UPDATE payments SET refunded_minor = amount_minor + 1")


async def test_recount_sees_money_that_does_not_add_up(shop: Shop) -> None:
    order, _ = await paid(shop, 1)
    await shop.sql("UPDATE payments SET refunded_minor = 1")
    (drift,) = await recount_money(shop.engine)
    assert (drift.order, drift.paid_minor, drift.back_minor) == (order.id, 1_000, 0)


async def test_what_was_never_paid_is_not_given_back(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    with pytest.raises(Conflict):
        await refund(shop, order, WHOLE)


async def test_a_free_order_that_was_called_off_before_has_nothing_to_give_back(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.sql("UPDATE orders SET coupon_minor = total_minor, total_minor = 0")
    await shop.cart.checkout.cancel(BUYER, order.id)
    with pytest.raises(Conflict):
        await refund(shop, order, WHOLE)


async def test_an_order_has_so_many_refunds_at_most(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "REFUNDS_LIMIT", 2)
    order, _ = await paid(shop, 1)
    for number in range(2):
        await refund(shop, order, RefundWish(amount_minor=1), key=f"r{number}")
    with pytest.raises(TooMany):
        await refund(shop, order, RefundWish(amount_minor=1), key="more")
    again = await refund(shop, order, RefundWish(amount_minor=1), key="r0")
    assert len(again.refunds) == 2


@pytest.mark.parametrize("wish", [some((1, 1)), some((0, 3)), some((-1, 1))])
async def test_units_that_were_not_bought_do_not_go_back(shop: Shop, wish: RefundWish) -> None:
    order, (tea,) = await paid(shop, 2)
    with pytest.raises(Conflict):
        await refund(shop, order, wish)
    assert await shop.counters(tea) == (8, 0, 2)


async def test_refused_refund_is_told_and_may_be_tried_again(shop: Shop) -> None:
    order, _ = await paid(shop, 1, trick=Trick.KEEP)
    await refund(shop, order, WHOLE)
    await shop.cart.refunding.rounds.play()
    after = await shop.cart.checkout.order(BUYER, order.id)
    assert (after.state, after.refunded_minor) == (OrderState.CANCELLED, 0)
    assert [one.state for one in after.refunds] == [RefundState.FAILED]
    assert (await shop.hear("refund"))[-1]["state"] == "failed"
    await shop.sql("UPDATE sandbox_payments SET trick = ''")
    again = await refund(shop, order, WHOLE, key="again")
    await shop.cart.refunding.rounds.play()
    assert again.refunded_minor == 1_000
    assert await recount_money(shop.engine) == []


async def test_lost_answer_is_found_out_by_asking(shop: Shop) -> None:
    order, _ = await paid(shop, 2, trick=Trick.SILENT)
    asked = await refund(shop, order, some((0, 1)))
    (written,) = asked.refunds
    silent = await shop.cart.refunding.settle(written.id)
    assert silent is not None
    assert silent.state == RefundState.UNKNOWN
    settled = await shop.cart.refunding.settle(written.id)
    assert settled is not None
    assert settled.state == RefundState.DONE


async def test_a_provider_that_stays_silent_is_asked_less_and_less_often(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silence(_: Repayment) -> Going:
        raise ProviderSilent

    order, _ = await paid(shop, 2)
    (written,) = (await refund(shop, order, some((0, 1)))).refunds
    refunding, book = shop.cart.refunding, SqlRefundBook(Database(shop.engine))
    monkeypatch.setattr(shop.sandbox, "look_up_refund", silence)
    first = await refunding.settle(written.id)
    assert first is not None
    assert first.state == RefundState.UNKNOWN
    assert await book.due("another", 9) == []
    assert await book.due("sandbox", 9) == [written.id], "soon, at first"
    again = await refunding.settle(written.id)
    assert again is not None
    assert again.state == RefundState.UNKNOWN
    assert await book.due("sandbox", 9) == []


async def test_words_and_keys_are_bounded(shop: Shop) -> None:
    order, _ = await paid(shop, 1)
    ask = shop.cart.checkout.refund
    with pytest.raises(Invalid):
        await ask(SELLER, "", order.id, wish=WHOLE, restock=True, reason="")
    with pytest.raises(Invalid):
        await ask(SELLER, "r", order.id, wish=WHOLE, restock=True, reason="x" * 201)
