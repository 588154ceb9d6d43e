"""Group commit on a real database: races, repeats, limits, and what a lost answer leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters import sku_rows
from cart.adapters.database import Database
from cart.adapters.ledger import SqlLedger
from cart.core.draft import NewSku, ProductChange
from cart.core.hold import EXTENSION_MS, HoldLine, HoldState
from cart.core.order import OrderState
from cart.core.stock import (
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    NoSuchSku,
    OutOfBounds,
    PriceChanged,
    Repeated,
    SoldOut,
    decide,
)
from cart.errors import Busy, Conflict, HoldExpired, Invalid, NotFound
from cart.holding import QUEUE_LIMIT, Holding
from cart.ports.stock import Batch
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop, committing, make_shop


async def test_hold_takes_units_and_tells_the_viewers(shop: Shop) -> None:
    product = await shop.stock(3)
    hold = await shop.hold(product, quantity=2)
    assert (hold.state, hold.quantity, hold.price_minor) == (HoldState.HELD, 2, 12_000)
    assert hold.expires_at_ms - hold.now_ms == 300_000
    assert await shop.counters(product) == (1, 2, 0)
    (stock,) = await shop.hear("stock")
    assert stock == {
        "type": "stock",
        "product": product.id,
        "free": 1,
        "held": 2,
        "skus": [{"id": product.id, "free": 1, "held": 2}],
        "version": product.version + 1,
    }


async def test_fifty_buyers_race_for_one_unit(shop: Shop) -> None:
    product = await shop.stock(1)
    decisions = await asyncio.gather(*(shop.ask(product.id, buyer=f"b{n}") for n in range(50)))
    assert [type(one) for one in decisions].count(Granted) == 1
    assert decisions.count(SoldOut(product.id, free=0, held=1)) == 49
    assert await shop.counters(product) == (0, 1, 0)


async def test_two_nodes_race_for_the_same_units(shop: Shop, engine: AsyncEngine) -> None:
    other = make_shop(engine)
    product = await shop.stock(7)
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(other.cart.holding.run())
        decisions = await asyncio.gather(
            *(node.ask(product.id, buyer=f"b{n}") for n in range(20) for node in (shop, other))
        )
        committing.cancel()
    assert [type(one) for one in decisions].count(Granted) == 7
    # Both nodes were asked with the same key by every buyer: nobody has two holds.
    assert await shop.counters(product) == (0, 7, 0)


async def test_control_without_the_lock_the_same_race_oversells(
    shop: Shop, engine: AsyncEngine
) -> None:
    """Read, then write what was read less one: both readers see the unit before either writes."""
    product = await shop.stock(1)
    both_have_read = asyncio.Barrier(2)

    async def naive() -> bool:
        async with engine.begin() as connection:
            read = text("SELECT free FROM skus WHERE id = :id")
            free = (await connection.execute(read, {"id": product.id})).scalar_one()
            await both_have_read.wait()
            write = text("UPDATE skus SET free = :free, held = 1 - :free WHERE id = :id")
            await connection.execute(write, {"id": product.id, "free": free - 1})
            return bool(free >= 1)

    assert all(await asyncio.gather(naive(), naive())), "two were given the one unit"


async def test_same_key_same_request_same_hold(shop: Shop) -> None:
    product = await shop.stock(5)
    first, again = await asyncio.gather(shop.hold(product), shop.hold(product))
    later = await shop.ask(product.id)
    assert first.id == again.id
    assert isinstance(later, Repeated)
    assert (later.holds[0].id, later.holds[0].expires_at_ms) == (first.id, first.expires_at_ms)
    assert await shop.counters(product) == (4, 1, 0)


async def test_same_key_different_request_is_refused(shop: Shop) -> None:
    product = await shop.stock(5)
    await shop.hold(product)
    for quantity, show in ((2, None), (1, "another")):
        decision = await shop.ask(product.id, quantity=quantity, show=show)
        assert decision == KeyReused()
    other = await shop.ask(product.id, buyer=STRANGER)
    assert isinstance(other, Granted), "keys of different people have nothing to do with each other"


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "without the lock"])
async def test_same_request_at_once_on_two_nodes_is_granted_once(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, *, locked: bool
) -> None:
    """By the lock all are told of the same holds; without it the key's index still keeps it one."""
    if not locked:
        unlocked = str(sku_rows.LOCK_ASKED).partition(" FOR NO KEY UPDATE")[0]
        monkeypatch.setattr(sku_rows, "LOCK_ASKED", text(unlocked))
    other = make_shop(engine)
    teas = [await shop.stock(50), await shop.stock(50)]
    lines = [HoldLine(sku=tea.id, quantity=1) for tea in teas]
    async with committing(other):
        for key in map(str, range(8)):
            asked = [
                node.cart.holding.hold(BUYER, key, lines[::way])
                for node in (shop, other)
                for way in (1, -1)
            ]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            given = [one for one in answers if isinstance(one, Granted | Repeated)]
            assert given
            assert len({hold.id for one in given for hold in one.holds}) == len(teas)
            if locked:
                assert len(given) == len(asked)
    assert [await shop.counters(tea) for tea in teas] == [(42, 8, 0)] * 2


async def test_one_key_for_two_requests_with_a_product_in_common_is_one_of_them(
    shop: Shop, engine: AsyncEngine
) -> None:
    other = make_shop(engine)
    common, left, right = [await shop.stock(50) for _ in range(3)]
    async with committing(other):
        for key in map(str, range(8)):
            asked = [
                node.cart.holding.hold(
                    BUYER, key, [HoldLine(sku=one.id, quantity=1) for one in (common, own)]
                )
                for node, own in ((shop, left), (other, right))
            ]
            answers = await asyncio.gather(*asked)
            assert {type(one) for one in answers} == {Granted, KeyReused}
    assert await shop.counters(common) == (42, 8, 0)


async def test_all_lines_are_held_or_none(shop: Shop) -> None:
    tea = await shop.stock(skus=[NewSku(options=["red"], stock=2), NewSku(options=["white"])])
    red, white = (sku.id for sku in tea.skus)
    cake = await shop.stock(5)
    hold = shop.cart.holding.hold
    lines = [HoldLine(sku=red), HoldLine(sku=cake.id), HoldLine(sku=white)]
    assert await hold(BUYER, "k", lines) == SoldOut(white, free=0, held=0)
    assert await shop.counters(tea) == (2, 0, 0)
    granted = await hold(BUYER, "k", [*lines[:2], lines[0]])
    assert isinstance(granted, Granted)
    told = [(one.sku, one.product, one.options, one.quantity) for one in granted.holds]
    assert told == [(red, tea.id, ("red",), 2), (cake.id, cake.id, (), 1)], "lines are summed"
    assert await shop.counters(tea) == (0, 2, 0)
    again = await hold(BUYER, "k", [lines[0], lines[0], lines[1]])
    assert isinstance(again, Repeated)
    assert [one.id for one in again.holds] == [one.id for one in granted.holds]
    assert await hold(BUYER, "k", lines[:2]) == KeyReused(), "one red is not two"
    assert await hold(BUYER, "k", [HoldLine(sku=red, quantity=2)]) == KeyReused()
    live, _ = await shop.cart.holding.live(BUYER)
    assert {one.id for one in live} == {one.id for one in granted.holds}
    stocks = [event for event in await shop.hear("stock") if event["product"] == tea.id]
    assert stocks[-1]["skus"] == [
        {"id": red, "free": 0, "held": 2},
        {"id": white, "free": 0, "held": 0},
    ]


async def test_orders_and_expiry_follow_the_skus(shop: Shop) -> None:
    tea = await shop.stock(
        skus=[NewSku(options=["red"], stock=2, price_minor=900), NewSku(options=["white"], stock=2)]
    )
    red, white = (sku.id for sku in tea.skus)
    granted = await shop.cart.holding.hold(
        BUYER, "k", [HoldLine(sku=white, price_minor=12_000), HoldLine(sku=red, price_minor=900)]
    )
    assert isinstance(granted, Granted)
    order = await shop.order(*granted.holds)
    told = [(line.sku, line.options, line.price_minor) for line in order.lines]
    assert told == [(white, ("white",), 12_000), (red, ("red",), 900)]
    assert order.total_minor == 12_900
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    now = await shop.cart.shopping.product(tea.id)
    assert [(sku.free, sku.held) for sku in now.skus] == [(2, 0), (2, 0)]


async def test_another_price_than_was_seen_is_refused(shop: Shop) -> None:
    product = await shop.stock(5)
    await shop.cart.shopping.edit_product(SELLER, product.id, ProductChange(price_minor=13_000))
    seen = [HoldLine(sku=product.id, price_minor=12_000)]
    decision = await shop.cart.holding.hold(BUYER, "k", seen)
    assert decision == PriceChanged(product.id, 13_000)
    assert await shop.counters(product) == (5, 0, 0)


async def test_limit_counts_everything_the_buyer_has(shop: Shop) -> None:
    product = await shop.stock(10, limit=2)
    await shop.hold(product, key="a")
    racing = await asyncio.gather(*(shop.ask(product.id, key=f"k{n}") for n in range(8)))
    assert [type(one) for one in racing].count(Granted) == 1
    assert racing.count(LimitReached(product.id, 2)) == 7
    assert await shop.counters(product) == (8, 2, 0)


async def test_what_cannot_be_held(shop: Shop) -> None:
    product = await shop.stock(500)
    assert await shop.ask("no-such-one") == NoSuchSku("no-such-one")
    assert await shop.ask(product.id, quantity=0) == OutOfBounds(99)
    assert await shop.ask(product.id, quantity=100) == OutOfBounds(99)
    with pytest.raises(NotFound):
        await shop.ask("nul\x00")
    with pytest.raises(Invalid):
        await shop.ask(product.id, key="ключ")
    with pytest.raises(Invalid):
        await shop.ask(product.id, show="nul\x00")
    line = HoldLine(sku=product.id)
    for lines in ([], [line] * 21, [line, HoldLine(sku=product.id, price_minor=1)]):
        with pytest.raises(Invalid):
            await shop.cart.holding.hold(BUYER, "k", lines)


async def test_releasing_returns_units_once(shop: Shop) -> None:
    product = await shop.stock(1)
    hold = await shop.hold(product)
    with pytest.raises(NotFound):
        await shop.cart.holding.release(STRANGER, hold.id)
    await asyncio.gather(*(shop.cart.holding.release(BUYER, hold.id) for _ in range(5)))
    assert await shop.counters(product) == (1, 0, 0)
    holds, _ = await shop.cart.holding.live(BUYER)
    assert holds == []


async def test_ordered_and_expired_holds_are_not_released(shop: Shop) -> None:
    product = await shop.stock(2)
    ordered, expired = await shop.hold(product, key="a"), await shop.hold(product, key="b")
    await shop.order(ordered)
    with pytest.raises(Conflict):
        await shop.cart.holding.release(BUYER, ordered.id)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    with pytest.raises(HoldExpired):
        await shop.cart.holding.release(BUYER, expired.id)
    assert await shop.counters(product) == (2, 0, 0)


async def test_live_holds_are_the_persons_own(shop: Shop) -> None:
    product = await shop.stock(3)
    mine = [await shop.hold(product, key=key) for key in "ab"]
    await shop.hold(product, buyer=STRANGER)
    holds, now_ms = await shop.cart.holding.live(BUYER)
    assert [hold.id for hold in holds] == [hold.id for hold in mine]
    assert now_ms >= mine[0].now_ms


async def test_a_hold_is_given_more_time_once(shop: Shop) -> None:
    hold = await shop.hold(await shop.stock(1))
    extend = shop.cart.holding.extend
    answers = await asyncio.gather(*(extend(BUYER, hold.id) for _ in range(4)))
    assert {one.expires_at_ms for one in answers} == {hold.expires_at_ms + EXTENSION_MS}
    assert all(one.extended for one in answers)
    with pytest.raises(NotFound):
        await extend(STRANGER, hold.id)
    await shop.order(hold)
    with pytest.raises(Conflict):
        await extend(BUYER, hold.id)


async def test_who_is_late_gets_no_more_time(shop: Shop) -> None:
    product = await shop.stock(1)
    hold = await shop.hold(product)
    await shop.let_time_pass()
    with pytest.raises(HoldExpired):
        await shop.cart.holding.extend(BUYER, hold.id)
    await shop.cart.expiry.sweep()
    with pytest.raises(HoldExpired):
        await shop.cart.holding.extend(BUYER, hold.id)
    assert await shop.counters(product) == (1, 0, 0)


async def test_a_buyer_who_is_just_in_time_is_in_time(shop: Shop) -> None:
    """The deadline that is shown is over, the one that counts is not."""
    hold = await shop.hold(await shop.stock(1))
    await shop.sql("UPDATE holds SET expires_at = now() + interval '4 seconds'")
    assert (await shop.cart.holding.live(BUYER))[0] == []
    await shop.cart.expiry.sweep()
    assert (await shop.order(hold)).state == OrderState.PLACED


class _LosesTheAnswer:
    """A ledger whose commit succeeds and whose answer gets lost on the way, once."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._lose = True

    @asynccontextmanager
    async def batch(self, requests: Sequence[HoldRequest], hold_ms: int) -> AsyncIterator[Batch]:
        async with self._ledger.batch(requests, hold_ms) as opened:
            yield opened
        if self._lose:
            self._lose = False
            raise ConnectionResetError("gone during commit")

    release = extend = live = sweep = None


async def test_unknown_commit_is_not_acknowledged_and_a_retry_finds_the_hold(shop: Shop) -> None:
    product = await shop.stock(1)
    lines = [HoldLine(sku=product.id)]
    ledger = _LosesTheAnswer(SqlLedger(Database(shop.engine)))
    holding = Holding(ledger, hold_seconds=300)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(holding.run())
        with pytest.raises(ConnectionResetError):
            await holding.hold(BUYER, "k", lines)
        again = await holding.hold(BUYER, "k", lines)
        committing.cancel()
    assert isinstance(again, Repeated)
    assert await shop.counters(product) == (0, 1, 0)


async def test_who_only_refuses_writes_nothing(shop: Shop, engine: AsyncEngine) -> None:
    product, database = await shop.stock(1), Database(engine)
    ledger = SqlLedger(database)
    for key, told in (("one", True), ("another", False)):
        request = HoldRequest((key,), BUYER, key, (HoldLine(sku=product.id),), None)
        database.written.clear()
        async with ledger.batch([request], 1_000) as batch:
            outcome = decide([request], batch.facts)
            await batch.keep([request], outcome)
        assert database.written.is_set() is told
    assert outcome.decisions == [SoldOut(product.id, free=0, held=1)]
    assert await shop.drifts() == []


async def test_full_queue_is_busy_and_the_end_cancels_those_who_wait(shop: Shop) -> None:
    product = await shop.stock(1)
    lines = [HoldLine(sku=product.id)]
    holding = Holding(SqlLedger(Database(shop.engine)), hold_seconds=300)
    waiting = asyncio.create_task(holding.hold(BUYER, "k", lines))
    await asyncio.sleep(0)
    holding._queue.extend(list(holding._queue) * (QUEUE_LIMIT - 1))
    with pytest.raises(Busy):
        await holding.hold(BUYER, "k2", lines)
    committing = asyncio.create_task(holding.run())
    await asyncio.sleep(0)
    committing.cancel()
    await asyncio.gather(committing, waiting, return_exceptions=True)
    assert waiting.cancelled()
