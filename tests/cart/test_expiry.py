"""Deadlines by the database's clock: units come back once, orders end whole."""

import asyncio

from cart.adapters.database import Database
from cart.adapters.ledger import SqlLedger
from cart.core.hold import HoldState
from cart.core.order import OrderState
from cart.expiry import Expiry
from tests.cart.shop import BUYER, Shop


async def test_units_come_back_and_the_viewers_hear(shop: Shop) -> None:
    product = await shop.stock(3)
    await shop.hold(product, quantity=2)
    assert await shop.cart.expiry.sweep() is False
    assert await shop.counters(product) == (1, 2, 0)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    assert await shop.counters(product) == (3, 0, 0)
    stocks = await shop.hear("stock")
    assert (stocks[-1]["free"], stocks[-1]["held"]) == (3, 0)


async def test_many_sweeps_at_once_return_each_unit_once(shop: Shop) -> None:
    products = [await shop.stock(5) for _ in range(3)]
    for number in range(4):
        for product in products:
            await shop.hold(product, key=f"{product.id}{number}")
    await shop.let_time_pass()
    await asyncio.gather(*(shop.cart.expiry.sweep() for _ in range(4)))
    assert [await shop.counters(product) for product in products] == [(5, 0, 0)] * 3


async def test_order_expires_with_all_its_holds(shop: Shop) -> None:
    tea, cake = await shop.stock(1), await shop.stock(1)
    order = await shop.order(await shop.hold(tea, key="a"), await shop.hold(cake, key="b"))
    await shop.sql(
        "UPDATE holds SET expires_at = now() - interval '1 second' WHERE product = :id", id=tea.id
    )
    await shop.cart.expiry.sweep()
    assert (await shop.cart.checkout.order(BUYER, order.id)).state == OrderState.EXPIRED
    assert await shop.counters(tea) == (1, 0, 0)
    assert await shop.counters(cake) == (1, 0, 0)


async def test_repeated_request_after_the_deadline_tells_the_truth(shop: Shop) -> None:
    product = await shop.stock(1)
    hold = await shop.hold(product)
    await shop.let_time_pass()
    await shop.cart.expiry.sweep()
    again = await shop.hold(product)
    assert (again.id, again.state) == (hold.id, HoldState.EXPIRED)
    assert await shop.counters(product) == (1, 0, 0)


async def test_sweep_takes_no_more_than_its_limit(shop: Shop) -> None:
    product = await shop.stock(5)
    for key in "abc":
        await shop.hold(product, key=key)
    await shop.let_time_pass()
    ledger = shop.cart.expiry._ledger
    assert [await ledger.sweep(2), await ledger.sweep(2), await ledger.sweep(2)] == [2, 1, 0]


async def test_what_takes_too_long_at_once_is_done_in_parts(shop: Shop) -> None:
    class Slow(SqlLedger):
        """Many wait for what becomes free: more than 40 holds at once take too long."""

        async def sweep(self, limit: int) -> int:
            if limit > 40:
                raise TimeoutError
            return await super().sweep(limit)

    product = await shop.stock(50)
    for number in range(50):
        await shop.hold(product, key=f"{number}")
    await shop.let_time_pass()
    expiry, failures = Expiry(Slow(Database(shop.engine))), 0
    while (await shop.counters(product))[1]:
        try:
            await expiry.sweep()
        except TimeoutError:
            failures += 1
    assert await shop.counters(product) == (50, 0, 0)
    assert failures <= 4
