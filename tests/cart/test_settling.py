"""Payments against the sandbox and against a provider that does what the test says."""

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from cart.adapters.database import Database
from cart.adapters.payment_sandbox import Trick
from cart.adapters.payments import SqlPaymentBook
from cart.asking import DUE_LIMIT
from cart.core.order import OrderState
from cart.core.payment import ATTEMPTS_LIMIT, Attempt, Standing
from cart.core.refund import Going
from cart.core.turns import TURNS_LIMIT
from cart.errors import Busy, Conflict, ProviderUnavailable, TooMany
from cart.ports.payments import Begun, Charge, Payment, PaymentProvider, ProviderSilent, Repayment
from cart.settling import Settling
from tests.cart.shop import BUYER, Shop


class Scripted:
    """A provider with one payment's standing, that can be made to say nothing."""

    def __init__(self) -> None:
        self.standing = Standing.PENDING
        self.mute = False
        self.hangs_at_confirm = False
        self.declines = False
        self.charges = 0
        self.looked_up = 0
        self.begun = 0

    async def begin(self, charge: Charge) -> Begun:
        """Where the buyer would go."""
        self._speak()
        self.begun += 1
        return Begun(f"/pay/{charge.payment}", charge.payment)

    async def confirm(self, payment: Payment) -> Standing:
        """Take the money; perhaps never answer."""
        if self.hangs_at_confirm:
            await asyncio.Event().wait()
        if self.standing == Standing.AUTHORIZED:
            self.standing = Standing.DECLINED if self.declines else Standing.CONFIRMED
            self.charges += 1
        return self.standing

    async def look_up(self, payment: Payment) -> Standing:
        """Its standing."""
        self.looked_up += 1
        self._speak()
        return self.standing

    async def cancel(self, payment: Payment) -> Standing:
        """Call it off."""
        self._speak()
        self.standing = Standing.CANCELLED
        return self.standing

    async def refund(self, repayment: Repayment) -> Going:
        """Give back whatever is asked."""
        self._speak()
        return Going.DONE

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """It has not heard of it."""
        self._speak()
        return Going.ABSENT

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """Whatever was sent."""
        return body.decode()

    def _speak(self) -> None:
        if self.mute:
            raise ProviderSilent


class Till:
    """A shop whose provider is scripted."""

    def __init__(self, shop: Shop) -> None:
        self.provider = Scripted()
        self.payments = SqlPaymentBook(Database(shop.engine))
        providers: dict[str, PaymentProvider] = {"scripted": self.provider}
        self.settling = Settling(self.payments, providers, answer_within_s=0.01)

    async def open(self, order: str) -> str:
        """Begin an attempt."""
        payment = await self.payments.open(order, "payment-1", "scripted")
        assert isinstance(payment, Payment)
        return payment.id


async def test_happy_path_sells_once(shop: Shop) -> None:
    tea = await shop.stock(1)
    order = await shop.order(await shop.hold(tea))
    payment = await shop.pay(order, Standing.AUTHORIZED)
    settled = await asyncio.gather(
        *(shop.cart.checkout.confirm(BUYER, order.id) for _ in range(4)),
        *(shop.cart.settling.settle(payment) for _ in range(4)),
    )
    assert len(settled) == 8
    paid = await shop.cart.checkout.order(BUYER, order.id)
    assert paid.state == OrderState.PAID
    assert await shop.counters(tea) == (0, 0, 1)
    assert len(await shop.hear("sold_out")) == 1
    (told,) = await shop.hear("order")
    assert (told["audience"], told["order"]["id"]) == ("seller", order.id)
    assert "recipient" not in told["order"]
    with pytest.raises(Conflict):
        await shop.cart.checkout.pay(BUYER, order.id)


async def test_declined_on_the_page_may_be_tried_again(shop: Shop) -> None:
    tea = await shop.stock(1)
    order = await shop.order(await shop.hold(tea))
    first = await shop.pay(order, Standing.DECLINED)
    after = await shop.cart.checkout.confirm(BUYER, order.id)
    assert after.state == OrderState.PLACED
    second = await shop.pay(order, Standing.AUTHORIZED)
    assert second != first
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PAID


async def test_nothing_happens_before_the_buyer_decides(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.cart.checkout.pay(BUYER, order.id)
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PLACED


async def test_answer_that_never_arrives_is_found_out_by_asking(shop: Shop) -> None:
    tea = await shop.stock(1)
    order = await shop.order(await shop.hold(tea))
    payment = await shop.pay(order, Standing.AUTHORIZED, Trick.SILENT)
    waiting = await shop.cart.checkout.confirm(BUYER, order.id)
    assert waiting.state == OrderState.PAYING
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await shop.counters(tea) == (0, 1, 0), "a claim does not expire"
    await shop.cart.settling.rounds.play()
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PAID
    assert await shop.standing(payment) == Standing.CONFIRMED


async def test_claim_suspends_expiry_and_cancelling(shop: Shop) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    till.provider.standing, till.provider.hangs_at_confirm = Standing.AUTHORIZED, True
    settled = await till.settling.settle(payment)
    assert settled is not None
    assert settled.state == Attempt.UNKNOWN
    with pytest.raises(Conflict):
        await shop.cart.checkout.cancel(BUYER, order.id)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await shop.counters(tea) == (0, 1, 0)
    till.provider.hangs_at_confirm, till.provider.mute = False, True
    still = await till.settling.settle(payment)
    assert still is not None
    assert still.state == Attempt.UNKNOWN, "silence settles nothing"
    till.provider.mute = False
    sold = await till.settling.settle(payment)
    assert sold is not None
    assert sold.state == Attempt.CONFIRMED
    assert till.provider.charges == 1
    assert await shop.counters(tea) == (0, 0, 1)


async def test_charge_declined_lets_the_units_go_back_to_the_order(shop: Shop) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    till.provider.standing, till.provider.declines = Standing.AUTHORIZED, True
    declined = await till.settling.settle(payment)
    assert declined is not None
    assert declined.state == Attempt.VOIDED
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PLACED
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await shop.counters(tea) == (1, 0, 0)


@pytest.mark.parametrize("late", [Standing.AUTHORIZED, Standing.CONFIRMED])
async def test_late_payment_never_sells_what_is_not_there(shop: Shop, late: Standing) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await shop.hold(tea, buyer="quicker")
    till.provider.standing = late
    settled = await till.settling.settle(payment)
    assert settled is not None
    assert (settled.state, till.provider.standing) == (Attempt.VOIDED, Standing.CANCELLED)
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.EXPIRED
    assert await shop.counters(tea) == (0, 1, 0)


async def test_deadline_counts_at_the_claim_even_before_the_sweep(shop: Shop) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    await shop.let_time_pass()
    till.provider.standing = Standing.AUTHORIZED
    settled = await till.settling.settle(payment)
    assert settled is not None
    assert settled.state == Attempt.VOIDED


async def test_money_goes_back_as_soon_as_the_provider_listens(shop: Shop) -> None:
    till = Till(shop)
    order = await shop.order(await shop.hold(await shop.stock(1)))
    payment = await till.open(order.id)
    await shop.cart.checkout.cancel(BUYER, order.id)
    till.provider.standing = Standing.CONFIRMED
    await till.payments.claim(payment)
    till.provider.mute = True
    silent = await till.settling.settle(payment)
    assert silent is not None
    assert silent.state == Attempt.VOIDING
    till.provider.mute = False
    await shop.sql("UPDATE payments SET ask_at = now()")
    await till.settling.rounds.play()
    assert till.provider.standing == Standing.CANCELLED


async def test_claim_past_its_cap_is_called_off_before_it_is_let_go(shop: Shop) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    till.provider.standing, till.provider.hangs_at_confirm = Standing.AUTHORIZED, True
    await till.settling.settle(payment)
    await shop.sql("UPDATE payments SET claimed_at = now() - interval '2 hours'")
    ended = await till.settling.settle(payment)
    assert ended is not None
    assert (ended.state, till.provider.standing) == (Attempt.VOIDED, Standing.CANCELLED)
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PLACED
    assert await shop.counters(tea) == (0, 1, 0)


async def test_abandoned_payment_of_an_ended_order_is_called_off(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await shop.cart.checkout.pay(BUYER, order.id)
    await shop.cart.checkout.cancel(BUYER, order.id)
    await shop.sql("UPDATE payments SET ask_at = now()")
    await shop.cart.settling.rounds.play()
    (payment,) = [await SqlPaymentBook(Database(shop.engine)).latest(order.id)]
    assert payment is not None
    assert payment.state == Attempt.VOIDED


async def test_attempts_are_asked_about_less_and_less_often(shop: Shop) -> None:
    till = Till(shop)
    await till.open((await shop.order(await shop.hold(await shop.stock(1)))).id)
    assert await till.payments.due("another", 10) == []
    assert len(await till.payments.due("scripted", 10)) == 1
    assert await till.payments.due("scripted", 10) == []


async def test_provider_that_cannot_begin_is_said_so(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))

    closed = Scripted()
    closed.mute = True
    shop.pay_at(scripted=closed)
    with pytest.raises(ProviderUnavailable):
        await shop.cart.checkout.pay(BUYER, order.id)


async def test_unknown_payments_are_nobodys_business(shop: Shop) -> None:
    assert await shop.cart.settling.settle("no-such-payment") is None


async def test_another_amount_is_never_charged_and_goes_back(shop: Shop) -> None:
    tea, till = await shop.stock(1), Till(shop)
    order = await shop.order(await shop.hold(tea))
    payment = await till.open(order.id)
    till.provider.standing = Standing.MISMATCHED
    settled = await till.settling.settle(payment)
    assert settled is not None
    assert (settled.state, till.provider.charges) == (Attempt.VOIDED, 0)
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.PLACED


async def test_settled_payments_bother_nobody(shop: Shop) -> None:
    till = Till(shop)
    order = await shop.order(await shop.hold(await shop.stock(1)))
    payment = await till.open(order.id)
    till.provider.standing = Standing.AUTHORIZED
    await till.settling.settle(payment)
    asked = till.provider.looked_up
    for _ in range(3):
        settled = await till.settling.settle(payment)
        assert settled is not None
        assert settled.state == Attempt.CONFIRMED
    assert till.provider.looked_up == asked


async def test_who_asks_without_end_makes_the_provider_be_asked_so_often(shop: Shop) -> None:
    till = Till(shop)
    order = await shop.order(await shop.hold(await shop.stock(1)))
    payment = await till.open(order.id)
    checkout = shop.cart.checkout
    checkout._settling = till.settling
    for _ in range(3 * TURNS_LIMIT):
        answered = await checkout.confirm(BUYER, order.id)
        assert answered.state == OrderState.PLACED
        await till.settling.hurry(payment)
    assert till.provider.looked_up == TURNS_LIMIT
    till.provider.standing = Standing.AUTHORIZED
    assert (await checkout.confirm(BUYER, order.id)).state == OrderState.PLACED, "what is known"
    await till.settling.rounds.play()
    assert (await checkout.order(BUYER, order.id)).state == OrderState.PAID, "asked by the round"


async def test_who_chooses_another_provider_leaves_the_first(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    payments = SqlPaymentBook(Database(shop.engine))
    first = await payments.open(order.id, "payment-1", "toss")
    second = await payments.open(order.id, "payment-2", "stripe")
    again = await payments.open(order.id, "payment-3", "stripe")
    assert isinstance(first, Payment)
    assert isinstance(second, Payment)
    assert second == again
    left = await payments.payment(first.id)
    assert left is not None
    assert (left.state, second.state) == (Attempt.VOIDING, Attempt.CREATED)
    assert (await payments.claim(first.id)).state == Attempt.VOIDING
    assert (await payments.claim(second.id)).state == Attempt.CLAIMED


async def test_who_goes_to_and_fro_between_providers_has_so_many_attempts(shop: Shop) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    shop.pay_at(one=Scripted(), other=Scripted())
    checkout = shop.cart.checkout
    names = ["one", "other"] * (ATTEMPTS_LIMIT // 2)
    for name in names:
        await checkout.pay(BUYER, order.id, name)
    for _ in range(2):
        with pytest.raises(TooMany) as refused:
            await checkout.pay(BUYER, order.id, "one")
        assert refused.value.facts == {"limit": ATTEMPTS_LIMIT}
    assert await checkout.pay(BUYER, order.id, "other"), "the open one goes on"
    async with shop.engine.connect() as connection:
        made = await connection.scalar(text("SELECT count(*) FROM payments"))
    assert made == ATTEMPTS_LIMIT
    cancelled = await checkout.cancel(BUYER, order.id)
    assert cancelled.state == OrderState.CANCELLED


async def test_who_begins_without_end_makes_the_provider_begin_so_often(shop: Shop) -> None:
    till = Till(shop)
    order = await shop.order(await shop.hold(await shop.stock(1)))
    shop.pay_at(scripted=till.provider)
    pages = {await shop.cart.checkout.pay(BUYER, order.id) for _ in range(TURNS_LIMIT)}
    assert len(pages) == 1
    with pytest.raises(Busy):
        await shop.cart.checkout.pay(BUYER, order.id)
    assert till.provider.begun == TURNS_LIMIT


async def test_nobody_is_sent_to_a_page_of_a_payment_that_was_called_off_meanwhile(
    shop: Shop,
) -> None:
    """Called off before it had a name, the provider's page stays open: money could come there."""
    till = Till(shop)
    order = await shop.order(await shop.hold(await shop.stock(1)))

    class Slow(Scripted):
        async def begin(self, charge: Charge) -> Begun:
            begun = await super().begin(charge)
            await shop.cart.checkout.cancel(BUYER, order.id)
            await shop.cart.settling.settle(charge.payment)
            return begun

    shop.pay_at(scripted=Slow())
    with pytest.raises(Conflict):
        await shop.cart.checkout.pay(BUYER, order.id)
    (payment,) = [await till.payments.latest(order.id)]
    assert payment is not None
    assert (payment.state, payment.reference) == (Attempt.VOIDED, "")


async def test_a_silent_provider_makes_nobody_wait_who_paid_at_another(shop: Shop) -> None:
    """All that is due at one hangs, more than a round of it; the other's are settled meanwhile."""
    quick = Scripted()
    asked = asyncio.Semaphore(0)

    class Hung(Scripted):
        async def look_up(self, payment: Payment) -> Standing:
            asked.release()
            await asyncio.Event().wait()
            raise AssertionError

    shop.pay_at(hung=Hung(), quick=quick)
    tea = await shop.stock(DUE_LIMIT + 2)
    orders = [
        await shop.order(await shop.hold(tea, key=f"{n}"), key=f"{n}") for n in range(DUE_LIMIT + 2)
    ]
    for order in orders[:-1]:
        await shop.cart.checkout.pay(BUYER, order.id, "hung")
    running = asyncio.create_task(shop.cart.settling.rounds.run())
    async with asyncio.timeout(5):  # half the time in which the silent one is waited for
        for _ in range(DUE_LIMIT):
            await asked.acquire()
        await shop.cart.checkout.pay(BUYER, orders[-1].id, "quick")
        quick.standing = Standing.AUTHORIZED
        shop.cart.settling.rounds.wake()
        while (await shop.cart.checkout.order(BUYER, orders[-1].id)).state != OrderState.PAID:
            pass
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
