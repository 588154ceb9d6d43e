"""Group commit on a real database: races, repeats, limits, and what a lost answer leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.database import Database
from cart.adapters.ledger import SqlLedger
from cart.core.hold import HoldState
from cart.core.stock import (
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    NoSuchProduct,
    OutOfBounds,
    Repeated,
    SoldOut,
)
from cart.errors import Busy, Conflict, HoldExpired, Invalid, NotFound
from cart.holding import QUEUE_LIMIT, Holding
from cart.ports import Batch
from tests.cart.shop import BUYER, STRANGER, Shop, make_shop


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
        "version": product.version + 1,
    }


async def test_fifty_buyers_race_for_one_unit(shop: Shop) -> None:
    product = await shop.stock(1)
    decisions = await asyncio.gather(
        *(shop.cart.holding.hold(f"b{n}", "k", product=product.id) for n in range(50))
    )
    assert [type(one) for one in decisions].count(Granted) == 1
    assert decisions.count(SoldOut(free=0, held=1)) == 49
    assert await shop.counters(product) == (0, 1, 0)


async def test_two_nodes_race_for_the_same_units(shop: Shop, engine: AsyncEngine) -> None:
    other = make_shop(engine)
    product = await shop.stock(7)
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(other.cart.holding.run())
        decisions = await asyncio.gather(
            *(
                node.cart.holding.hold(f"b{n}", "k", product=product.id)
                for n in range(20)
                for node in (shop, other)
            )
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
            read = text("SELECT free FROM products WHERE id = :id")
            free = (await connection.execute(read, {"id": product.id})).scalar_one()
            await both_have_read.wait()
            write = text("UPDATE products SET free = :free, held = 1 - :free WHERE id = :id")
            await connection.execute(write, {"id": product.id, "free": free - 1})
            return bool(free >= 1)

    assert all(await asyncio.gather(naive(), naive())), "two were given the one unit"


async def test_same_key_same_request_same_hold(shop: Shop) -> None:
    product = await shop.stock(5)
    first, again = await asyncio.gather(shop.hold(product), shop.hold(product))
    later = await shop.cart.holding.hold(BUYER, "k", product=product.id)
    assert first.id == again.id
    assert isinstance(later, Repeated)
    assert (later.hold.id, later.hold.expires_at_ms) == (first.id, first.expires_at_ms)
    assert await shop.counters(product) == (4, 1, 0)


async def test_same_key_different_request_is_refused(shop: Shop) -> None:
    product = await shop.stock(5)
    await shop.hold(product)
    for quantity, show in ((2, None), (1, "another")):
        decision = await shop.cart.holding.hold(
            BUYER, "k", product=product.id, quantity=quantity, show=show
        )
        assert decision == KeyReused()
    other = await shop.cart.holding.hold(STRANGER, "k", product=product.id)
    assert isinstance(other, Granted), "keys of different people have nothing to do with each other"


async def test_limit_counts_everything_the_buyer_has(shop: Shop) -> None:
    product = await shop.stock(10, limit=2)
    await shop.hold(product, key="a")
    racing = await asyncio.gather(
        *(shop.cart.holding.hold(BUYER, f"k{n}", product=product.id) for n in range(8))
    )
    assert [type(one) for one in racing].count(Granted) == 1
    assert racing.count(LimitReached(2)) == 7
    assert await shop.counters(product) == (8, 2, 0)


async def test_what_cannot_be_held(shop: Shop) -> None:
    product = await shop.stock(500)
    hold = shop.cart.holding.hold
    assert await hold(BUYER, "a", product="no-such-one") == NoSuchProduct()
    assert await hold(BUYER, "b", product=product.id, quantity=0) == OutOfBounds(99)
    assert await hold(BUYER, "c", product=product.id, quantity=100) == OutOfBounds(99)
    with pytest.raises(NotFound):
        await hold(BUYER, "d", product="nul\x00")
    with pytest.raises(Invalid):
        await hold(BUYER, "ключ", product=product.id)
    with pytest.raises(Invalid):
        await hold(BUYER, "e", product=product.id, show="nul\x00")


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

    release = live = sweep = None


async def test_unknown_commit_is_not_acknowledged_and_a_retry_finds_the_hold(shop: Shop) -> None:
    product = await shop.stock(1)
    ledger = _LosesTheAnswer(SqlLedger(Database(shop.engine)))
    holding = Holding(ledger, hold_seconds=300)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(holding.run())
        with pytest.raises(ConnectionResetError):
            await holding.hold(BUYER, "k", product=product.id)
        again = await holding.hold(BUYER, "k", product=product.id)
        committing.cancel()
    assert isinstance(again, Repeated)
    assert await shop.counters(product) == (0, 1, 0)


async def test_full_queue_is_busy_and_the_end_cancels_those_who_wait(shop: Shop) -> None:
    product = await shop.stock(1)
    holding = Holding(SqlLedger(Database(shop.engine)), hold_seconds=300)
    waiting = asyncio.create_task(holding.hold(BUYER, "k", product=product.id))
    await asyncio.sleep(0)
    holding._queue.extend(list(holding._queue) * (QUEUE_LIMIT - 1))
    with pytest.raises(Busy):
        await holding.hold(BUYER, "k2", product=product.id)
    committing = asyncio.create_task(holding.run())
    await asyncio.sleep(0)
    committing.cancel()
    await asyncio.gather(committing, waiting, return_exceptions=True)
    assert waiting.cancelled()
