"""The waitlist on a real database: every door that frees units offers them, and nobody overtakes.

That a crash cannot come between a unit that becomes free and its offer needs no test of its own:
both are one transaction, which is there whole or not at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters import moving
from cart.adapters.waits import ROUND_LIMIT_WAITS, first_in_line
from cart.core.catalog import Product
from cart.core.deal import DealKind
from cart.core.draft import NewSku
from cart.core.event import Event
from cart.core.hold import Hold, HoldState
from cart.core.payment import Standing
from cart.core.refund import RefundLine, RefundWish
from cart.core.stock import Granted, SoldOut
from cart.core.waitlist import BUYER_LIMIT_WAITS, Wait, Waiting, WaitState
from cart.dealing import Terms
from cart.errors import (
    Conflict,
    Forbidden,
    HoldExpired,
    IdempotencyMismatch,
    Invalid,
    LimitReached,
    NotFound,
    TooMany,
    TooManyWaiting,
)
from cart.ports.deals import ShowFacts
from cart.ports.stock import SkuLine
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop, make_shop

FIRST, SECOND, THIRD = "first", "second", "third"


async def wait_for(shop: Shop, product: Product, buyer: str, quantity: int = 1) -> Wait:
    """Join the line of a product without options."""
    return await shop.cart.waiting.join(buyer, product.id, product.id, quantity)


async def offered(shop: Shop, buyer: str) -> list[str]:
    """The ids of what a buyer is being offered."""
    waits, _ = await shop.cart.waiting.waits(buyer)
    return [wait.id for wait in waits if wait.state is WaitState.OFFERED]


async def line_up(shop: Shop, product: Product, many: int) -> None:
    """So many wait for a product without options, `w0000` first."""
    await shop.sql(
        "INSERT INTO waits (id, sku, product, buyer, idempotency_key, quantity, offer_ms, state)"
        " SELECT name, :product, :product, name, 'k', 1, 120000, 'waiting' FROM ("
        "SELECT 'w' || lpad(n::text, 4, '0') AS name FROM generate_series(0, :last) AS n) AS names"
        " ORDER BY name",
        product=product.id,
        last=many - 1,
    )


async def everything_told(shop: Shop, kind: str) -> list[Event]:
    """All events of a kind, the outbox emptied to the last."""
    while await shop.cart.relaying.relay():
        pass
    return await shop.hear(kind)


async def sold_out(shop: Shop, units: int = 1) -> tuple[Product, Hold]:
    """A product of which all is held by the buyer."""
    product = await shop.stock(units)
    return product, await shop.hold(product, quantity=units)


async def test_a_wait_has_a_place_and_the_first_is_offered_what_is_released(shop: Shop) -> None:
    product, hold = await sold_out(shop)
    first, second = [await wait_for(shop, product, one) for one in (FIRST, SECOND)]
    assert (first.place, second.place, first.state) == (1, 2, WaitState.WAITING)
    await shop.cart.holding.release(BUYER, hold.id)
    assert await shop.counters(product) == (0, 1, 0)
    (now,), _ = await shop.cart.waiting.waits(FIRST)
    assert (now.state, now.place) == (WaitState.OFFERED, None)
    (held,), now_ms = await shop.cart.holding.live(FIRST)
    assert (held.id, held.state, held.price_minor) == (first.id, HoldState.HELD, 12_000)
    assert held.expires_at_ms == now.expires_at_ms
    assert 60_000 < held.expires_at_ms - now_ms <= 120_000, "the offer's own timer"
    (behind,), _ = await shop.cart.waiting.waits(SECOND)
    assert (behind.state, behind.place) == (WaitState.WAITING, 1)
    (told,) = await shop.hear("offer")
    assert (told["hold"]["id"], told["product"]) == (first.id, product.id)
    assert (told["audience"], told["person"]) == ("person", FIRST)
    assert [event["waiting"] for event in await shop.hear("waiting")][-1] == 1


async def test_the_seller_sees_how_many_wait_for_each_sku(shop: Shop) -> None:
    wanted, _ = await sold_out(shop)
    await shop.stock(2)
    for one in (FIRST, SECOND):
        await wait_for(shop, wanted, one)
    view = await shop.cart.stocking.view(SELLER, "camellia")
    assert [(line.held, line.waiting) for line in view] == [(1, 2), (0, 0)]
    (leaving,), _ = await shop.cart.waiting.waits(FIRST)
    await shop.cart.waiting.leave(FIRST, leaving.id)
    view = await shop.cart.stocking.view(SELLER, "camellia")
    assert [line.waiting for line in view] == [1, 0]


async def test_declining_either_way_offers_it_to_the_next_at_once(shop: Shop) -> None:
    product, hold = await sold_out(shop)
    first, second, third = [await wait_for(shop, product, b) for b in (FIRST, SECOND, THIRD)]
    await shop.cart.holding.release(BUYER, hold.id)
    await shop.cart.holding.release(FIRST, first.id)
    assert (await offered(shop, FIRST), await offered(shop, SECOND)) == ([], [second.id])
    await shop.cart.waiting.leave(SECOND, second.id)
    await shop.cart.waiting.leave(SECOND, second.id)
    assert await offered(shop, THIRD) == [third.id]
    assert await shop.counters(product) == (0, 1, 0)
    told = [(event["person"], event["state"]) for event in await shop.hear("wait")]
    assert told == [(FIRST, "declined"), (SECOND, "declined")]
    assert len(await shop.hear("offer")) == 3


async def test_an_offer_is_ordered_and_paid_like_any_hold(shop: Shop) -> None:
    product, hold = await sold_out(shop)
    wait = await wait_for(shop, product, FIRST)
    await shop.cart.holding.release(BUYER, hold.id)
    (held,), _ = await shop.cart.holding.live(FIRST)
    order = await shop.order(held, buyer=FIRST)
    waits, _ = await shop.cart.waiting.waits(FIRST)
    assert waits == []
    with pytest.raises(Conflict):
        await shop.cart.waiting.leave(FIRST, wait.id)
    payment = await shop.pay(order, Standing.AUTHORIZED)
    await shop.cart.settling.settle(payment)
    assert await shop.counters(product) == (0, 0, 1)
    assert [event["state"] for event in await shop.hear("wait")] == ["taken"]


async def test_an_offer_that_expires_goes_to_the_next(shop: Shop) -> None:
    product, hold = await sold_out(shop)
    first, second = [await wait_for(shop, product, one) for one in (FIRST, SECOND)]
    await shop.cart.holding.release(BUYER, hold.id)
    await shop.let_time_pass()
    assert await offered(shop, FIRST) == [], "too late already, though nobody swept yet"
    await shop.cart.expiry.sweep()
    assert await offered(shop, SECOND) == [second.id]
    with pytest.raises(HoldExpired):
        await shop.cart.holding.release(FIRST, first.id)
    await shop.cart.waiting.leave(FIRST, first.id)
    again = await shop.cart.waiting.join(FIRST, "again", product.id, 1)
    assert (again.state, again.place) == (WaitState.WAITING, 1)


async def _release(shop: Shop, product: Product) -> None:
    (hold,), _ = await shop.cart.holding.live(BUYER)
    await shop.cart.holding.release(BUYER, hold.id)


async def _expire(shop: Shop, product: Product) -> None:
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()


async def _order_expires(shop: Shop, product: Product) -> None:
    (hold,), _ = await shop.cart.holding.live(BUYER)
    await shop.order(hold)
    await _expire(shop, product)


async def _cancel(shop: Shop, product: Product) -> None:
    (hold,), _ = await shop.cart.holding.live(BUYER)
    order = await shop.order(hold)
    await shop.cart.checkout.cancel(BUYER, order.id)


async def _refund(shop: Shop, product: Product) -> None:
    (hold,), _ = await shop.cart.holding.live(BUYER)
    order = await shop.order(hold)
    await shop.cart.settling.settle(await shop.pay(order, Standing.AUTHORIZED))
    assert await shop.counters(product) == (0, 0, 1)
    await shop.cart.checkout.cancel(BUYER, order.id)


async def _restock(shop: Shop, product: Product) -> None:
    after = await shop.restock(product, 1)
    assert (after.free, after.held) == (0, 2), "the seller is told what became of it"


@pytest.mark.parametrize("door", [_release, _expire, _order_expires, _cancel, _refund, _restock])
async def test_every_door_offers_what_it_frees(
    shop: Shop, door: Callable[[Shop, Product], Awaitable[None]]
) -> None:
    product, _ = await sold_out(shop)
    first, second = [await wait_for(shop, product, one) for one in (FIRST, SECOND)]
    await door(shop, product)
    assert await offered(shop, FIRST) == [first.id]
    assert await offered(shop, SECOND) == []
    assert (await shop.counters(product))[0] == 0
    assert await shop.ask(product.id, buyer=STRANGER) == SoldOut(
        product.id, 0, (await shop.counters(product))[1]
    )
    assert second.place == 2


async def test_units_that_are_refunded_are_offered_and_damaged_ones_are_not(shop: Shop) -> None:
    product, hold = await sold_out(shop, 3)
    first, _ = [await wait_for(shop, product, one) for one in (FIRST, SECOND)]
    order = await shop.order(hold)
    await shop.cart.settling.settle(await shop.pay(order, Standing.AUTHORIZED))
    one_back = RefundWish((RefundLine(line=0, quantity=1),))
    for restock, offers, counters in (False, [], (0, 0, 3)), (True, [first.id], (0, 1, 2)):
        await shop.cart.checkout.refund(
            SELLER, f"r{restock}", order.id, wish=one_back, restock=restock, reason=""
        )
        assert await offered(shop, FIRST) == offers
        assert await shop.counters(product) == counters
    assert await offered(shop, SECOND) == []


async def test_many_holds_that_expire_at_once_are_offered_exactly_once(shop: Shop) -> None:
    product = await shop.stock(40)
    for number in range(20):
        await shop.hold(product, buyer=f"b{number}", quantity=2)
    waits = [await wait_for(shop, product, f"w{number}", 3) for number in range(15)]
    await shop.let_time_pass()
    await asyncio.gather(*(shop.cart.expiry.sweep() for _ in range(4)))
    assert await shop.counters(product) == (0, 40, 0)
    async with shop.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT id, quantity FROM holds WHERE state = 'held' ORDER BY quantity")
        )
        held = {row.id: row.quantity for row in rows}
    served = [wait.id for wait in waits if wait.id in held]
    assert served == [wait.id for wait in waits[:14]], "in the order they came"
    assert sum(held.values()) == 40
    assert len(await shop.hear("offer")) == 14


async def test_who_reached_the_limit_meanwhile_is_passed_over(shop: Shop) -> None:
    tea = await shop.stock(limit=2, skus=[NewSku(options=["red"]), NewSku(options=["white"])])
    red, white = (sku.id for sku in tea.skus)
    join = shop.cart.waiting.join
    await join(FIRST, "r", red, 2)
    await join(FIRST, "w", white, 1)
    await join(SECOND, "w", white, 1)
    with pytest.raises(LimitReached):
        await join(THIRD, "r", red, 3)
    for sku in (red, white):
        await shop.sql("UPDATE skus SET on_hand = 3, held = 3 WHERE id = :sku", sku=sku)
        await shop.sql(
            "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
            " price_minor, currency, state, expires_at) VALUES (:sku, :sku, 'k', :sku, :product,"
            " '', '{}', 3, 9, 'KRW', 'held', now() + interval '1 hour')",
            sku=sku,
            product=tea.id,
        )
    await shop.cart.holding.release(red, red)
    (own,), _ = await shop.cart.holding.live(FIRST)
    assert own.quantity == 2
    await shop.cart.holding.release(white, white)
    waits, _ = await shop.cart.waiting.waits(FIRST)
    assert [wait.sku for wait in waits] == [red], "the wait for white ones is over"
    assert len(await offered(shop, SECOND)) == 1
    assert [(e["person"], e["state"]) for e in await shop.hear("wait")] == [(FIRST, "passed_over")]


def counted_rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of the line each round from now on decides."""
    rounds: list[int] = []

    async def counted(*said: Any) -> list[Waiting]:
        found = await first_in_line(*said)
        rounds.append(len(found))
        return found

    monkeypatch.setattr(moving, "first_in_line", counted)
    return rounds


@pytest.mark.parametrize(("units", "offers"), [(600, 600), (3, 3)])
async def test_a_long_line_is_offered_in_rounds_that_no_one_notices(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, units: int, offers: int
) -> None:
    """First come first served across rounds, however many units there are."""
    product, _ = await sold_out(shop)
    await line_up(shop, product, 600)
    rounds = counted_rounds(monkeypatch)
    await shop.restock(product, units)
    assert max(rounds) <= ROUND_LIMIT_WAITS
    told = [event["person"] for event in await everything_told(shop, "offer")]
    assert told == [f"w{number:04}" for number in range(offers)]
    assert await shop.counters(product) == (0, 1 + offers, 0)
    assert [event["waiting"] for event in await shop.hear("waiting")][-1] == 600 - offers


async def test_a_shut_deal_passes_over_a_long_line_in_rounds(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, hold = await sold_out(shop)
    await line_up(shop, product, 600)
    shop.shows["s"] = ShowFacts("camellia", "live", ())
    terms = Terms(
        *(product.id, DealKind.FLASH),
        percent_off=50,
        units=5,
        length_s=60,
        starts_in_s=0,
        shuts=True,
    )
    deal = await shop.cart.dealing.announce(SELLER, "s", "k", terms)
    await shop.cart.dealing.end(SELLER, deal.id)
    rounds = counted_rounds(monkeypatch)
    await shop.cart.holding.release(BUYER, hold.id)
    assert max(rounds) <= ROUND_LIMIT_WAITS
    told = await everything_told(shop, "wait")
    assert [event["state"] for event in told] == ["passed_over"] * 600
    assert await shop.counters(product) == (1, 0, 0)


async def test_who_waits_gets_it_before_any_walk_in_of_two_nodes(
    shop: Shop, engine: AsyncEngine
) -> None:
    other = make_shop(engine)
    product, hold = await sold_out(shop)
    waits = [await wait_for(shop, product, f"w{number}") for number in range(3)]
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(other.cart.holding.run())
        walk_ins = [
            group.create_task(node.ask(product.id, buyer=f"b{number}", key=name))
            for number in range(20)
            for name, node in (("here", shop), ("there", other))
        ]
        await shop.cart.holding.release(BUYER, hold.id)
        await other.cart.waiting.leave("w0", waits[0].id)
        await asyncio.wait(walk_ins)
        committing.cancel()
    assert all(isinstance(task.result(), SoldOut) for task in walk_ins)
    assert await offered(shop, "w1") == [waits[1].id]
    assert await shop.counters(product) == (0, 1, 0)


async def test_control_offered_a_transaction_later_a_walk_in_overtakes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> list[Waiting]:
        return []

    product, hold = await sold_out(shop)
    await wait_for(shop, product, FIRST)
    monkeypatch.setattr(moving, "first_in_line", nobody)
    await shop.cart.holding.release(BUYER, hold.id)
    monkeypatch.undo()
    assert isinstance(await shop.ask(product.id, buyer=STRANGER), Granted)
    assert await offered(shop, FIRST) == []


async def test_who_comes_while_a_unit_becomes_free_is_not_forgotten(shop: Shop) -> None:
    """Either the unit was free first, and one is told to hold it, or the wait was, and has it."""
    for _ in range(8):
        product, hold = await sold_out(shop)
        came, _ = await asyncio.gather(
            shop.cart.waiting.join(FIRST, product.id, product.id, 1),
            shop.cart.holding.release(BUYER, hold.id),
            return_exceptions=True,
        )
        if isinstance(came, Wait):
            assert await offered(shop, FIRST) == [came.id]
            await shop.cart.waiting.leave(FIRST, came.id)
        else:
            assert isinstance(came, Conflict)
            assert came.facts == {"state": "free", "sku": product.id, "free": 1}
        assert await shop.counters(product) == (1, 0, 0)
        await shop.restock(product, -1)
        await shop.sql("UPDATE holds SET idempotency_key = id")


async def test_joining_is_refused_with_a_reason(shop: Shop) -> None:
    product = await shop.stock(1, limit=2)
    join = shop.cart.waiting.join
    with pytest.raises(Conflict) as free:
        await join(FIRST, "k", product.id, 1)
    assert free.value.facts["free"] == 1
    await shop.hold(product)
    first = await join(FIRST, "k", product.id, 1)
    again = await join(FIRST, "k", product.id, 1)
    assert (again.id, again.place) == (first.id, 1)
    refusals: list[tuple[type[Exception], tuple[Any, ...]]] = [
        (IdempotencyMismatch, (FIRST, "k", product.id, 2)),
        (Conflict, (FIRST, "another", product.id, 1)),
        (LimitReached, (BUYER, "k", product.id, 2)),
        (Invalid, (SECOND, "k", product.id, 100)),
        (Invalid, (SECOND, "a key", product.id, 1)),
        (NotFound, (SECOND, "k", "no-such-sku", 1)),
        (NotFound, (SECOND, "k", "no id", 1)),
    ]
    for error, asked in refusals:
        with pytest.raises(error):
            await join(*asked)
    with pytest.raises(Invalid):
        await join(SECOND, "k", product.id, 1, show="no id")
    with pytest.raises(NotFound):
        await shop.cart.waiting.leave(SECOND, first.id)
    await shop.cart.waiting.leave(FIRST, first.id)
    assert (await join(FIRST, "k", product.id, 1)).state is WaitState.LEFT
    assert [event["waiting"] for event in await shop.hear("waiting")] == [0], "newest only"


async def test_a_buyer_waits_for_so_many_skus_even_all_at_once(shop: Shop) -> None:
    options = [NewSku(options=[str(number)]) for number in range(BUYER_LIMIT_WAITS + 4)]
    tea = await shop.stock(skus=options)
    joined = await asyncio.gather(
        *(shop.cart.waiting.join(FIRST, sku.id, sku.id, 1) for sku in tea.skus),
        return_exceptions=True,
    )
    assert sum(isinstance(one, Wait) for one in joined) == BUYER_LIMIT_WAITS
    refused = [one for one in joined if not isinstance(one, Wait)]
    assert all(isinstance(one, TooMany) for one in refused)


async def test_the_seller_sees_how_many_wait(shop: Shop) -> None:
    product, _ = await sold_out(shop)
    await wait_for(shop, product, FIRST)
    await wait_for(shop, product, SECOND)
    lines = await shop.cart.waiting.lines(SELLER, product.store)
    assert lines == [SkuLine(product.id, product.id, 2)]
    with pytest.raises(Forbidden):
        await shop.cart.waiting.lines(STRANGER, product.store)


async def test_units_for_more_than_can_be_offered_some_at_once_are_refused_whole(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand and by a sheet; in parts they come, and the same key may be asked again."""
    monkeypatch.setattr("cart.core.restock.OFFERS_LIMIT", 3)
    product = await shop.stock()
    await line_up(shop, product, 5)
    sheet = f"sku,free\n{product.id},4\n".encode()
    with pytest.raises(TooManyWaiting) as refused:
        await shop.restock(product, 4, key="k")
    assert refused.value.facts == {"limit": 3}
    with pytest.raises(TooManyWaiting):
        await shop.cart.importing.bring_in(SELLER, "camellia", "s", sheet, dry_run=False)
    assert await shop.counters(product) == (0, 0, 0)
    await shop.restock(product, 3, key="k")
    assert await shop.counters(product) == (0, 3, 0)
    # Two wait still, so that what is more than they want makes few offers.
    await shop.restock(product, 100)
    assert await shop.counters(product) == (98, 5, 0)
