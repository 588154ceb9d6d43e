"""Stores and products: words, rights, stock through the ledger."""

import asyncio

import pytest
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError

from cart.core.catalog import ProductEdit
from cart.errors import Forbidden, Invalid, NotEnoughStock, NotFound, SlugTaken
from cart.ports import Picture
from tests.cart.shop import SELLER, STRANGER, Shop


async def test_store_opens_once(shop: Shop) -> None:
    open_store = shop.cart.shopping.open_store
    answers = await asyncio.gather(
        *(open_store(f"s{n}", slug="camellia", name=" 동백 ", story="") for n in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, SlugTaken) for answer in answers) == 3
    store = await shop.cart.shopping.store("camellia")
    assert (store.name, store.currency) == ("동백", "KRW")


@pytest.mark.parametrize(
    "slug", ["", "-a", "a-", "A", "동백", "a/b", "a" * 41, "a\n", "..", "a\x00"]
)
async def test_bad_slugs_are_refused(shop: Shop, slug: str) -> None:
    with pytest.raises(Invalid):
        await shop.cart.shopping.open_store(SELLER, slug=slug, name="x", story="")
    with pytest.raises(NotFound):
        await shop.cart.shopping.store(slug)


async def test_only_the_owner_changes_a_store(shop: Shop) -> None:
    product = await shop.stock(1)
    shopping = shop.cart.shopping
    with pytest.raises(Forbidden):
        await shopping.edit_store(STRANGER, "camellia", name="mine", story=UNSET)
    with pytest.raises(Forbidden):
        await shopping.edit_product(STRANGER, product.id, ProductEdit(stock_change=1))
    with pytest.raises(Forbidden):
        await shopping.save_picture(STRANGER, product.id, Picture(b"", ""))
    with pytest.raises(Forbidden):
        await shopping.add_product(
            STRANGER,
            "camellia",
            title="x",
            description="",
            price_minor=1,
            stock=1,
            limit_per_buyer=None,
        )
    edited = await shopping.edit_store(SELLER, "camellia", name=UNSET, story="이야기\n둘째 줄")
    assert (edited.name, edited.story) == ("동백", "이야기\n둘째 줄")
    assert await shopping.store("camellia") == edited


async def test_edit_tells_price_and_stock(shop: Shop) -> None:
    product = await shop.stock(2)
    edit = ProductEdit(title="새 이름", price_minor=9_000, limit_per_buyer=3, stock_change=4)
    after = await shop.cart.shopping.edit_product(SELLER, product.id, edit)
    assert (after.title, after.price_minor, after.limit_per_buyer) == ("새 이름", 9_000, 3)
    assert (after.on_hand, after.free, after.version) == (6, 6, 2)
    assert await shop.cart.shopping.product(product.id) == after
    assert [event["price_minor"] for event in await shop.hear("price")] == [9_000]
    assert [event["free"] for event in await shop.hear("stock")] == [6]
    unlimited = ProductEdit(limit_per_buyer=None)
    assert (
        await shop.cart.shopping.edit_product(SELLER, product.id, unlimited)
    ).limit_per_buyer is None


async def test_only_free_units_can_be_taken_away(shop: Shop) -> None:
    product = await shop.stock(3)
    await shop.hold(product, quantity=2)
    edit = shop.cart.shopping.edit_product
    with pytest.raises(NotEnoughStock):
        await edit(SELLER, product.id, ProductEdit(stock_change=-2))
    await edit(SELLER, product.id, ProductEdit(stock_change=-1))
    assert await shop.counters(product) == (0, 2, 0)


async def test_stock_changes_and_holds_at_once_stay_balanced(shop: Shop) -> None:
    product = await shop.stock(10)
    edits = [
        shop.cart.shopping.edit_product(SELLER, product.id, ProductEdit(stock_change=change))
        for change in (3, -2, 4, -1)
    ]
    holds = [shop.hold(product, key=f"k{n}") for n in range(4)]
    await asyncio.gather(*edits, *holds)
    assert await shop.counters(product) == (10, 4, 0)


async def test_database_itself_refuses_units_from_nothing(shop: Shop) -> None:
    await shop.stock(1)
    for broken in ("free = free + 1", "free = free - 2, on_hand = on_hand - 2"):
        with pytest.raises(IntegrityError):
            await shop.sql(f"UPDATE products SET {broken}")


async def test_lists(shop: Shop) -> None:
    first, second = await shop.stock(1, slug="a"), await shop.stock(1, slug="a")
    third = await shop.stock(1, slug="b")
    shopping = shop.cart.shopping
    assert [store.slug for store in await shopping.stores()] == ["a", "b"]
    assert [store.slug for store in await shopping.stores("a")] == ["b"]
    assert await shop.cart.stores_of(SELLER) == ["a", "b"]
    assert await shopping.products_in("a") == [first, second]
    found = await shop.cart.products([third.id, "none", "nul\x00", first.id])
    assert [product["id"] for product in found] == [third.id, first.id]
