"""Stores and products: words, rights, stock through the ledger."""

import asyncio

import pytest
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError

from cart.core.draft import NewProduct, NewSku, ProductChange, SkuChange
from cart.errors import CodeTaken, Forbidden, Invalid, NotFound, SlugTaken
from cart.ports.shelf import Picture
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
        await shopping.edit_product(STRANGER, product.id, ProductChange(title="mine"))
    with pytest.raises(Forbidden):
        await shopping.save_picture(STRANGER, product.id, Picture(b"", ""))
    with pytest.raises(Forbidden):
        await shopping.add_product(STRANGER, "camellia", "k", NewProduct(title="x", price_minor=1))
    edited = await shopping.edit_store(SELLER, "camellia", name=UNSET, story="이야기\n둘째 줄")
    assert (edited.name, edited.story) == ("동백", "이야기\n둘째 줄")
    assert await shopping.store("camellia") == edited


async def test_edit_tells_price_and_stock(shop: Shop) -> None:
    product = await shop.stock(2)
    await shop.restock(product, 4)
    cheaper = SkuChange(id=product.id, price_minor=9_000)
    edit = ProductChange(title="새 이름", limit_per_buyer=3, skus=[cheaper])
    after = await shop.cart.shopping.edit_product(SELLER, product.id, edit)
    assert (after.title, after.price_minor, after.limit_per_buyer) == ("새 이름", 9_000, 3)
    assert (after.on_hand, after.free, after.version) == (6, 6, 3)
    assert await shop.cart.shopping.product(product.id) == after
    assert [event["price_minor"] for event in await shop.hear("price")] == [9_000]
    assert [event["free"] for event in await shop.hear("stock")] == [6]
    unlimited = ProductChange(limit_per_buyer=None)
    assert (
        await shop.cart.shopping.edit_product(SELLER, product.id, unlimited)
    ).limit_per_buyer is None


async def test_database_itself_refuses_units_from_nothing(shop: Shop) -> None:
    await shop.stock(1)
    for broken in ("free = free + 1", "free = free - 2, on_hand = on_hand - 2"):
        with pytest.raises(IntegrityError):
            await shop.sql(f"UPDATE skus SET {broken}")


RED, WHITE = NewSku(options=["red", "S"], stock=2, code="r1"), NewSku(options=["white", "S"])


async def test_product_has_a_sku_for_each_combination(shop: Shop) -> None:
    plain = await shop.stock(3)
    assert [(sku.id, sku.options, sku.free) for sku in plain.skus] == [(plain.id, (), 3)]
    tea = await shop.stock(skus=[RED, WHITE])
    assert (tea.on_hand, tea.free, tea.option_names) == (2, 2, ("색상", "크기"))
    assert [sku.code for sku in tea.skus] == ["R1", None]
    assert len({tea.id, *(sku.id for sku in tea.skus)}) == 3
    grown = await shop.cart.shopping.edit_product(
        SELLER,
        tea.id,
        ProductChange(
            price_minor=9_000,
            skus=[SkuChange(id=tea.skus[1].id, price_minor=11_000)],
            new_skus=[NewSku(options=["white", "L"], stock=1)],
        ),
    )
    told = [(sku.options[1], sku.price_minor, sku.free) for sku in grown.skus]
    assert told == [("S", 9_000, 2), ("S", 11_000, 0), ("L", 9_000, 1)]
    assert (grown.price_minor, grown.free, grown.version) == (9_000, 3, 2)
    assert await shop.cart.shopping.product(tea.id) == grown
    assert [event["product"]["free"] for event in await shop.hear("product")] == [3, 3]


@pytest.mark.parametrize(
    "skus",
    [
        [RED, NewSku(options=["red", "S"])],
        [RED, NewSku(options=["white"])],
        [NewSku(options=["a", "b", "c", "d"])],
        [NewSku(options=[str(number), "S"]) for number in range(101)],
    ],
)
async def test_options_that_do_not_fit_are_refused(shop: Shop, skus: list[NewSku]) -> None:
    with pytest.raises(Invalid):
        await shop.stock(skus=skus)
    tea = await shop.stock(skus=[WHITE])
    said = ProductChange(new_skus=[WHITE])
    with pytest.raises(Invalid):
        await shop.cart.shopping.edit_product(SELLER, tea.id, said)


async def test_units_of_a_product_with_options_are_those_of_its_skus(shop: Shop) -> None:
    await shop.stock(1)
    for said in (
        NewProduct(title="x", price_minor=1, option_names=["colour"], skus=[], stock=1),
        NewProduct(title="x", price_minor=1, option_names=["colour"]),
        NewProduct(title="x", price_minor=1, skus=[NewSku(options=[])]),
    ):
        with pytest.raises(Invalid):
            await shop.cart.shopping.add_product(SELLER, "camellia", "k", said)


async def test_code_is_one_skus_in_a_store(shop: Shop) -> None:
    tea = await shop.stock(skus=[RED, WHITE])
    with pytest.raises(CodeTaken):
        await shop.stock(skus=[NewSku(options=["x"], code="Ｒ1")])
    elsewhere = await shop.stock(slug="elsewhere", skus=[NewSku(options=["x"], code="r1")])
    assert elsewhere.skus[0].code == "R1"
    edit = shop.cart.shopping.edit_product
    red, white = (sku.id for sku in tea.skus)
    with pytest.raises(CodeTaken):
        await edit(SELLER, tea.id, ProductChange(skus=[SkuChange(id=white, code="R1")]))
    swapped = [SkuChange(id=red, code=None), SkuChange(id=white, code="r1")]
    after = await edit(SELLER, tea.id, ProductChange(skus=swapped))
    assert [sku.code for sku in after.skus] == [None, "R1"]
    with pytest.raises(NotFound):
        await edit(SELLER, tea.id, ProductChange(skus=[SkuChange(id="nobody")]))


async def test_of_two_who_want_a_code_at_once_one_gets_it(shop: Shop) -> None:
    products = [await shop.stock(1) for _ in range(4)]
    said = (ProductChange(skus=[SkuChange(id=product.id, code="A1")]) for product in products)
    edits = (
        shop.cart.shopping.edit_product(SELLER, product.id, change)
        for product, change in zip(products, said, strict=True)
    )
    answers = await asyncio.gather(*edits, return_exceptions=True)
    assert sum(isinstance(answer, CodeTaken) for answer in answers) == 3


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
