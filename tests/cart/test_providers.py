"""One set of scenarios for every payment provider: the sandbox, Toss Payments and Stripe.

The last two are spoken to over real HTTP, their stand-in being a process that can be killed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from copy import copy

import httpx
import pytest
import pytest_asyncio

from cart.adapters.database import Database
from cart.adapters.money_recount import recount_money
from cart.adapters.payments import SqlPaymentBook
from cart.core.order import Order, OrderState
from cart.core.payment import ENDED, Attempt, Standing
from cart.core.refund import RefundLine, RefundState, RefundWish
from cart.errors import ProviderUnavailable
from cart.ports.payments import Payment, ProviderSilent
from cart.settling import Settling
from tests.cart.deaths import Died, Node
from tests.cart.shop import BUYER, SELLER, Shop, attempt
from tests.cart.tills import (
    NOW_S,
    RemoteTill,
    SandboxTill,
    Till,
    standing_in,
    stripe_till,
    toss_till,
)
from tests.standin.faults import Fault
from tests.standin.process import StandIn

PRICE_MINOR = 12_000


@pytest_asyncio.fixture(scope="module")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StandIn]:
    """The stand-in, one process for the module."""
    async with standing_in(tmp_path_factory.mktemp("standin")) as standin:
        yield standin


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """What the providers are asked with."""
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest_asyncio.fixture(params=["sandbox", "toss", "stripe"])
async def till(
    request: pytest.FixtureRequest, shop: Shop, standin: StandIn, client: httpx.AsyncClient
) -> Till:
    """Each provider in turn, the only one of the shop."""
    tills: dict[str, Till] = {
        "sandbox": SandboxTill(shop, shop.sandbox),
        "toss": toss_till(standin, client),
        "stripe": stripe_till(standin, client),
    }
    return _installed(shop, tills[request.param])


@pytest_asyncio.fixture(params=[toss_till, stripe_till], ids=["toss", "stripe"])
async def remote(
    request: pytest.FixtureRequest, shop: Shop, standin: StandIn, client: httpx.AsyncClient
) -> RemoteTill:
    """Each provider that is spoken to over HTTP."""
    till: RemoteTill = request.param(standin, client)
    _installed(shop, till)
    return till


def _installed(shop: Shop, till: Till) -> Till:
    shop.pay_at(**{till.name: till.provider})
    shop.cart.settling._answer_within_s = 5.0
    return till


async def placed(shop: Shop) -> tuple[Order, str, str]:
    """An order of the last unit, its payment and the page where it is paid."""
    order = await shop.order(await shop.hold(await shop.stock(1, price_minor=PRICE_MINOR)))
    redirect = await shop.cart.checkout.pay(BUYER, order.id)
    payment = await latest(shop, order)
    return order, payment.id, redirect


async def latest(shop: Shop, order: Order) -> Payment:
    """The newest attempt of an order."""
    found = await SqlPaymentBook(Database(shop.engine)).latest(order.id)
    assert found is not None
    return found


async def state_of(shop: Shop, order: Order) -> OrderState:
    """Where the order is now."""
    return (await shop.cart.checkout.order(BUYER, order.id)).state


def hurried(shop: Shop) -> Settling:
    """The same settling, of little patience; the shop's own keeps its patience."""
    settling = copy(shop.cart.settling)
    settling._answer_within_s = 0.25
    return settling


async def test_money_is_taken_once_however_often_it_is_asked_for(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PLACED
    assert await till.taken(payment) == 0
    await till.approve(payment, redirect)
    await asyncio.gather(*(shop.cart.settling.settle(payment) for _ in range(3)))
    assert await state_of(shop, order) == OrderState.PAID
    assert await till.taken(payment) == PRICE_MINOR
    assert len(await shop.hear("sold_out")) == 1


async def test_beginning_again_leads_to_the_same_page(shop: Shop, till: Till) -> None:
    order, _, redirect = await placed(shop)
    assert await shop.cart.checkout.pay(BUYER, order.id) == redirect


async def test_who_declined_may_pay_after_all(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await till.decline(payment, redirect)
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PLACED
    again = await shop.cart.checkout.pay(BUYER, order.id)
    await till.approve((await latest(shop, order)).id, again)
    assert (await shop.cart.checkout.confirm(BUYER, order.id)).state == OrderState.PAID


async def test_lost_answer_is_unknown_until_the_provider_is_asked(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await till.lose_answer(payment, redirect)
    silent = await hurried(shop).settle(payment)
    assert silent is not None
    assert silent.state == Attempt.UNKNOWN
    assert await till.taken(payment) == PRICE_MINOR
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await state_of(shop, order) == OrderState.PAYING, "a claim does not expire"
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await till.taken(payment) == PRICE_MINOR


async def test_charge_that_timed_out_is_asked_for_again(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await till.lose_request(payment, redirect)
    silent = await hurried(shop).settle(payment)
    assert silent is not None
    assert (silent.state, await till.taken(payment)) == (Attempt.UNKNOWN, 0)
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await till.taken(payment) == PRICE_MINOR


async def test_late_payment_goes_back_by_itself(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await till.approve(payment, redirect)
    taken = await till.provider.confirm(await latest(shop, order))
    assert (taken, await till.taken(payment)) == (Standing.CONFIRMED, PRICE_MINOR)
    settled = await shop.cart.settling.settle(payment)
    assert settled is not None
    assert (settled.state, await till.taken(payment)) == (Attempt.VOIDED, 0)
    assert await state_of(shop, order) == OrderState.EXPIRED


async def test_another_amount_is_never_taken(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await till.approve_another_amount(payment, redirect)
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PLACED
    assert await till.taken(payment) == 0


async def test_messages_may_repeat_and_overtake_each_other(shop: Shop, till: Till) -> None:
    order, payment, redirect = await placed(shop)
    await till.approve(payment, redirect)
    await shop.cart.settling.settle(payment)
    told = await till.messages(payment)
    assert told
    now_s = NOW_S if till.name == "sandbox" else time.time()
    for headers, body in [*told[::-1], *told]:
        assert till.provider.read_webhook(headers, body, now_s) == payment
        await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await till.taken(payment) == PRICE_MINOR
    assert len(await shop.hear("order")) == 1


async def bought_two(shop: Shop, till: Till) -> tuple[Order, str]:
    """A paid order of two units, and its payment."""
    tea = await shop.stock(2, price_minor=PRICE_MINOR)
    order = await shop.order(await shop.hold(tea, quantity=2))
    redirect = await shop.cart.checkout.pay(BUYER, order.id)
    payment = (await latest(shop, order)).id
    await till.approve(payment, redirect)
    await shop.cart.settling.settle(payment)
    return order, payment


async def give_back_one(shop: Shop, order: Order, key: str = "r") -> str:
    """The seller gives back one unit; the refund's id."""
    wish = RefundWish((RefundLine(line=0, quantity=1),))
    said = await shop.cart.checkout.refund(
        SELLER, key, order.id, wish=wish, restock=True, reason=""
    )
    return said.refunds[-1].id


async def test_parts_go_back_once_each(shop: Shop, till: Till) -> None:
    order, payment = await bought_two(shop, till)
    first = await give_back_one(shop, order)
    await asyncio.gather(*(shop.cart.refunding.settle(first) for _ in range(3)))
    assert await till.taken(payment) == PRICE_MINOR
    await give_back_one(shop, order, "second")
    await shop.cart.refunding.hurry(payment)
    assert await till.taken(payment) == 0
    after = await shop.cart.checkout.order(BUYER, order.id)
    assert {one.state for one in after.refunds} == {RefundState.DONE}
    assert await recount_money(shop.engine) == []


async def test_lost_refund_is_unknown_until_the_provider_is_asked(shop: Shop, till: Till) -> None:
    order, payment = await bought_two(shop, till)
    refund = await give_back_one(shop, order)
    await till.lose_refund()
    shop.cart.refunding._answer_within_s = 0.25
    silent = await shop.cart.refunding.settle(refund)
    assert silent is not None
    assert (silent.state, await till.taken(payment)) == (RefundState.UNKNOWN, PRICE_MINOR)
    shop.cart.refunding._answer_within_s = 5.0
    settled = await shop.cart.refunding.settle(refund)
    assert settled is not None
    assert (settled.state, await till.taken(payment)) == (RefundState.DONE, PRICE_MINOR)


async def test_refused_refund_fails_and_keeps_the_books_true(shop: Shop, till: Till) -> None:
    order, payment = await bought_two(shop, till)
    refund = await give_back_one(shop, order)
    await till.refuse_refunds()
    failed = await shop.cart.refunding.settle(refund)
    assert failed is not None
    assert (failed.state, await till.taken(payment)) == (RefundState.FAILED, 2 * PRICE_MINOR)
    assert (await shop.cart.checkout.order(BUYER, order.id)).refunded_minor == 0
    assert await recount_money(shop.engine) == []


async def test_payment_nobody_has_seen_is_pending_and_easily_called_off(till: Till) -> None:
    unseen = attempt("unseen", reference="")
    assert await till.provider.look_up(unseen) == Standing.PENDING
    assert await till.provider.cancel(unseen) == Standing.CANCELLED


async def test_refused_charge_lets_the_units_go(shop: Shop, remote: RemoteTill) -> None:
    order, payment, redirect = await placed(shop)
    await remote.approve(payment, redirect)
    await remote.standin.plan("confirm", Fault.DECLINE)
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PLACED
    assert await remote.taken(payment) == 0
    assert (await latest(shop, order)).state == Attempt.VOIDED


async def test_node_that_dies_after_a_refused_charge_leaves_no_money_authorized(
    shop: Shop, remote: RemoteTill
) -> None:
    order, payment, redirect = await placed(shop)
    await remote.approve(payment, redirect)
    await remote.standin.plan("confirm", Fault.DECLINE)
    node = Node(shop.engine, shop.shows)
    _installed(node.shop, remote)
    node.doom(-2)
    with pytest.raises(Died):  # after the claim, and what the refused charge makes of it
        await node.shop.cart.settling.settle(payment)
    node.doom(0)
    node.dead = False
    assert await state_of(shop, order) == OrderState.PLACED
    await shop.cart.settling.rounds.play()
    assert await remote.provider.look_up(await latest(shop, order)) in ENDED
    assert (await latest(shop, order)).state == Attempt.VOIDED


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        ("begin", Fault.ERROR_AFTER),
        ("look_up", Fault.LIMITED),
        ("confirm", Fault.ERROR_BEFORE),
        ("confirm", Fault.SLOW),
    ],
)
async def test_one_failure_is_not_even_noticed(
    shop: Shop, remote: RemoteTill, at: str, fault: Fault
) -> None:
    if at == "begin":
        await remote.standin.plan(at, fault)
    order, payment, redirect = await placed(shop)
    await remote.approve(payment, redirect)
    if at != "begin":
        await remote.standin.plan(at, fault)
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await remote.taken(payment) == PRICE_MINOR


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.NONSENSE, Fault.LONG])
async def test_no_answer_that_tells_is_no_answer(
    shop: Shop, remote: RemoteTill, fault: Fault
) -> None:
    order, payment, redirect = await placed(shop)
    await remote.approve(payment, redirect)
    await remote.standin.plan("confirm", fault, times=2)
    unknown = await shop.cart.settling.settle(payment)
    assert unknown is not None
    assert unknown.state == Attempt.UNKNOWN
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await remote.taken(payment) == PRICE_MINOR


async def test_lost_calling_off_is_repeated(shop: Shop, remote: RemoteTill) -> None:
    order, payment, redirect = await placed(shop)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    await remote.approve(payment, redirect)
    await remote.provider.confirm(await latest(shop, order))
    await remote.standin.plan("cancel", Fault.HANG_AFTER)
    voiding = await hurried(shop).settle(payment)
    assert voiding is not None
    assert (voiding.state, await remote.taken(payment)) == (Attempt.VOIDING, 0)
    voided = await shop.cart.settling.settle(payment)
    assert voided is not None
    assert (voided.state, await remote.taken(payment)) == (Attempt.VOIDED, 0)


async def test_provider_that_is_away_when_the_buyer_comes_is_said_so(
    shop: Shop, remote: RemoteTill
) -> None:
    order = await shop.order(await shop.hold(await shop.stock(1)))
    await remote.standin.plan("begin", Fault.ERROR_BEFORE, times=2)
    with pytest.raises(ProviderUnavailable):
        await shop.cart.checkout.pay(BUYER, order.id)
    assert await shop.cart.checkout.pay(BUYER, order.id)


async def test_provider_killed_between_charge_and_answer_remembers(
    shop: Shop, remote: RemoteTill
) -> None:
    order, payment, redirect = await placed(shop)
    await remote.lose_answer(payment, redirect)
    await hurried(shop).settle(payment)
    await remote.standin.kill()
    away = await shop.cart.settling.settle(payment)
    assert away is not None
    assert away.state == Attempt.UNKNOWN, "silence settles nothing"
    await remote.standin.start()
    await shop.cart.settling.settle(payment)
    assert await state_of(shop, order) == OrderState.PAID
    assert await remote.taken(payment) == PRICE_MINOR


async def test_messages_that_are_not_the_providers_are_not_read(
    shop: Shop, remote: RemoteTill
) -> None:
    _, payment, redirect = await placed(shop)
    await remote.approve(payment, redirect)
    headers, body = (await remote.messages(payment))[0]
    read, now_s = remote.provider.read_webhook, time.time()
    assert read(headers, body, now_s) == payment
    if remote.name == "stripe":
        assert read({}, body, now_s) is None
        assert read(headers, body + b" ", now_s) is None
        assert read(headers, body, now_s + 301) is None
        assert read({"stripe-signature": headers["stripe-signature"] + ",v1=0"}, body, now_s)
    else:
        assert read({}, body, 0) == payment, "Toss signs nothing: a message only makes us ask"
        assert read({}, b"{}", 0) is None


async def test_wrong_key_is_silence_and_stays_secret(
    shop: Shop, standin: StandIn, client: httpx.AsyncClient
) -> None:
    for till in (toss_till(standin, client), stripe_till(standin, client)):
        http = till.provider._http  # type: ignore[attr-defined]
        http._headers["authorization"] = "Basic wrong"
        with pytest.raises(ProviderSilent):
            await till.provider.look_up(attempt("p1"))
        assert "wrong" not in repr(till.provider) + repr(http)
