"""More and fewer free units: with a reason, once for each key, never from what is held."""

import asyncio

import pytest

from cart.core.draft import NewSku, StockChange, UnitsChanged
from cart.errors import Forbidden, IdempotencyMismatch, Invalid, NotEnoughStock, NotFound
from tests.cart.shop import SELLER, STRANGER, Shop


async def test_only_free_units_can_be_taken_away(shop: Shop) -> None:
    product = await shop.stock(3)
    await shop.hold(product, quantity=2)
    with pytest.raises(NotEnoughStock):
        await shop.restock(product, -2)
    await shop.restock(product, -1)
    assert await shop.counters(product) == (0, 2, 0)


async def test_stock_changes_and_holds_at_once_stay_balanced(shop: Shop) -> None:
    product = await shop.stock(10)
    edits = [shop.restock(product, change) for change in (3, -2, 4, -1)]
    holds = [shop.hold(product, key=f"k{n}") for n in range(4)]
    await asyncio.gather(*edits, *holds)
    assert await shop.counters(product) == (10, 4, 0)


async def test_a_key_changes_stock_once(shop: Shop) -> None:
    product = await shop.stock(10)
    await asyncio.gather(*(shop.restock(product, 5, key="k") for _ in range(5)))
    assert await shop.counters(product) == (15, 0, 0)
    with pytest.raises(IdempotencyMismatch):
        await shop.restock(product, 6, key="k")
    other = await shop.stock(1)
    await shop.restock(other, 1, key="k")
    assert await shop.counters(other) == (2, 0, 0), "keys are of one product"


async def test_all_skus_change_or_none(shop: Shop) -> None:
    tea = await shop.stock(skus=[NewSku(options=["red"], stock=1), NewSku(options=["white"])])
    red, white = (sku.id for sku in tea.skus)
    changes = [UnitsChanged(sku=red, change=5), UnitsChanged(sku=white, change=-1)]
    said = StockChange(reason="correction", changes=changes)
    with pytest.raises(NotEnoughStock):
        await shop.cart.stocking.change(SELLER, tea.id, "k", said)
    assert await shop.counters(tea) == (1, 0, 0)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [("restock", [0]), ("restock", [-1]), ("correction", [1, 1]), ("correction", [])],
)
async def test_changes_that_are_none_are_refused(
    shop: Shop, reason: str, changes: list[int]
) -> None:
    product = await shop.stock(5)
    lines = [UnitsChanged(sku=product.id, change=change) for change in changes]
    said = StockChange(reason=reason, changes=lines)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        await shop.cart.stocking.change(SELLER, product.id, "k", said)


async def test_only_the_owner_changes_its_own_skus(shop: Shop) -> None:
    product = await shop.stock(5)
    said = StockChange(reason="restock", changes=[UnitsChanged(sku=product.id, change=1)])
    with pytest.raises(Forbidden):
        await shop.cart.stocking.change(STRANGER, product.id, "k", said)
    strange = StockChange(reason="restock", changes=[UnitsChanged(sku="nobody", change=1)])
    with pytest.raises(NotFound):
        await shop.cart.stocking.change(SELLER, product.id, "k", strange)
