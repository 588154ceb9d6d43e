"""Transactions: what others keep locked is refused as busy, what fails leaves nothing behind."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters import database
from cart.adapters.database import Database
from cart.adapters.sku_rows import lock_skus
from cart.errors import Busy
from tests.cart.shop import Shop


async def test_row_that_stays_locked_is_busy(
    shop: Shop, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = await shop.stock(1)
    soon = text("SELECT set_config('lock_timeout', '10', true)")
    monkeypatch.setattr(database, "_BOUNDS", soon)
    async with Database(engine).writing() as connection:
        await lock_skus(connection, [product.id])
        with pytest.raises(Busy):
            await shop.hold(product)
    await shop.hold(product)


async def test_failed_transaction_leaves_nothing_and_wakes_nobody(
    shop: Shop, engine: AsyncEngine
) -> None:
    product = await shop.stock(1)
    writer = Database(engine)

    async def fail() -> None:
        async with writer.writing() as connection:
            await connection.execute(text("UPDATE products SET version = 99"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert not writer.written.is_set()
    assert (await shop.cart.shopping.product(product.id)).version == 1


async def test_ordering_and_holding_the_same_products_never_wait_in_a_circle(shop: Shop) -> None:
    products = [await shop.stock(50) for _ in range(3)]

    async def buy(number: int) -> None:
        chosen = products if number % 2 else products[::-1]
        holds = [await shop.hold(product, buyer=f"b{number}", key=product.id) for product in chosen]
        order = await shop.order(*holds, buyer=f"b{number}")
        if number % 3 == 0:
            await shop.cart.checkout.cancel(order.buyer, order.id)

    sweeps = [shop.cart.expiry.sweep() for _ in range(4)]
    await asyncio.gather(*(buy(number) for number in range(12)), *sweeps)
    assert [await shop.counters(product) for product in products] == [(42, 8, 0)] * 3


async def test_order_is_placed_while_its_product_is_locked(shop: Shop, engine: AsyncEngine) -> None:
    """Else placing (hold, product) and sweeping (product, hold) would wait in a circle."""
    product = await shop.stock(1)
    hold = await shop.hold(product)
    async with Database(engine).writing() as connection:
        await lock_skus(connection, [product.id])
        order = await shop.order(hold)
    assert order.lines[0].product == product.id
