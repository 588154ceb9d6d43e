"""Hostile values stop at the door: none of them becomes a struct, or a row."""

from typing import Any

import msgspec
import pytest

from cart.adapters import wire
from cart.core.draft import NewProduct, NewSku, ProductChange, StockChange
from cart.errors import CartError
from tests.cart.shop import BUYER, SELLER, Shop

HUGE = 2**63
RECIPIENT = {"name": "김봄", "phone": "010-1234-5678", "postcode": "03187", "address": "서울"}
PRODUCT = {"title": "t", "price_minor": 1, "stock": 1}

HOSTILE: list[tuple[Any, Any]] = [
    (wire.NewHolds, None),
    (wire.NewHolds, []),
    (wire.NewHolds, {}),
    (wire.NewHolds, {"lines": []}),
    (wire.NewHolds, {"lines": [{}]}),
    (wire.NewHolds, {"lines": [{"sku": "s"}] * 21}),
    (wire.NewHolds, {"lines": {"sku": "s"}}),
    (wire.NewHolds, {"lines": [{"sku": ""}]}),
    (wire.NewHolds, {"lines": [{"sku": 1}]}),
    (wire.NewHolds, {"lines": [{"sku": "x" * 65}]}),
    (wire.NewHolds, {"lines": [{"sku": {"$ne": None}}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": 0}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": -1}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": 1.5}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": "1"}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": True}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": HUGE}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "quantity": float("nan")}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "price_minor": 0}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "price_minor": HUGE}]}),
    (wire.NewHolds, {"lines": [{"sku": "s", "title": "t"}]}),
    (wire.NewHolds, {"lines": [{"sku": "s"}], "buyer": "somebody else"}),
    (wire.NewHolds, {"lines": [{"sku": "s"}], "show": ["s"]}),
    (wire.NewOrder, {"holds": [], "recipient": RECIPIENT, "total_minor": 1}),
    (wire.NewOrder, {"holds": ["h"] * 21, "recipient": RECIPIENT, "total_minor": 1}),
    (wire.NewOrder, {"holds": "h", "recipient": RECIPIENT, "total_minor": 1}),
    (wire.NewOrder, {"holds": [None], "recipient": RECIPIENT, "total_minor": 1}),
    (wire.NewOrder, {"holds": ["h"]}),
    (wire.NewOrder, {"holds": ["h"], "recipient": {}, "total_minor": 1}),
    (
        wire.NewOrder,
        {"holds": ["h"], "recipient": RECIPIENT | {"name": "x" * 81}, "total_minor": 1},
    ),
    (
        wire.NewOrder,
        {"holds": ["h"], "recipient": RECIPIENT | {"total_minor": 0}, "total_minor": 1},
    ),
    (
        wire.NewOrder,
        {"holds": ["h"], "recipient": RECIPIENT | {"postcode": "0318"}, "total_minor": 1},
    ),
    (wire.NewOrder, {"holds": ["h"], "recipient": RECIPIENT}),
    (wire.NewOrder, {"holds": ["h"], "recipient": RECIPIENT, "total_minor": -1}),
    (wire.NewQuote, {"holds": ["h"], "points_minor": -1}),
    (wire.NewQuote, {"holds": ["h"], "points_minor": HUGE}),
    (wire.NewQuote, {"holds": ["h"], "coupon": "x" * 25}),
    (wire.NewQuote, {"holds": ["h"], "postcode": "６３０００"}),
    (NewProduct, PRODUCT | {"price_minor": 0}),
    (NewProduct, PRODUCT | {"price_minor": -1}),
    (NewProduct, PRODUCT | {"price_minor": HUGE}),
    (NewProduct, PRODUCT | {"price_minor": 0.1}),
    (NewProduct, PRODUCT | {"stock": -1}),
    (NewProduct, PRODUCT | {"stock": 10**9}),
    (NewProduct, PRODUCT | {"limit_per_buyer": 0}),
    (NewProduct, PRODUCT | {"title": ""}),
    (NewProduct, PRODUCT | {"title": "x" * 121}),
    (NewProduct, PRODUCT | {"sold": 5}),
    (NewProduct, PRODUCT | {"skus": [{"options": []}] * 101}),
    (NewProduct, PRODUCT | {"skus": [{}]}),
    (NewProduct, PRODUCT | {"skus": [{"options": ["a", "b", "c", "d"]}]}),
    (NewProduct, PRODUCT | {"skus": [{"options": [""]}]}),
    (NewProduct, PRODUCT | {"skus": [{"options": ["x" * 41]}]}),
    (NewProduct, PRODUCT | {"skus": [{"options": [], "free": 5}]}),
    (NewProduct, PRODUCT | {"option_names": ["a", "b", "c", "d"]}),
    (NewProduct, PRODUCT | {"code": "x" * 21}),
    (ProductChange, {"skus": [{"id": "s", "free": 5}]}),
    (ProductChange, {"skus": [{"price_minor": 5}]}),
    (StockChange, {"reason": "restock", "changes": []}),
    (StockChange, {"reason": "restock", "changes": [{"sku": "s", "change": HUGE}]}),
    (StockChange, {"reason": "restock", "changes": [{"sku": "s", "change": "5"}]}),
    (StockChange, {"reason": "theft", "changes": [{"sku": "s", "change": 5}]}),
    (ProductChange, {"title": None}),
    (ProductChange, {"free": 5}),
    (wire.NewStore, {"slug": "A", "name": "n"}),
    (wire.NewStore, {"slug": "../etc", "name": "n"}),
    (wire.NewStore, {"slug": "a", "name": "n", "owner": "me"}),
    (wire.StoreEdit, {"name": ["n"]}),
]


@pytest.mark.parametrize(("kind", "value"), HOSTILE)
def test_hostile_values_are_refused(kind: Any, value: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, kind)


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "a\nb", "\x7f", "\u2028x\u2028y", " \t ", "\x1b[2J"]
)
async def test_words_the_types_let_through_are_refused_by_the_rules(shop: Shop, text: str) -> None:
    shopping = shop.cart.shopping
    product = await shop.stock(1)
    with pytest.raises(CartError):
        await shopping.open_store(SELLER, slug="other", name=text, story="")
    with pytest.raises(CartError):
        await shopping.add_product(SELLER, "camellia", "k", NewProduct(title=text, price_minor=1))
    with pytest.raises(CartError):
        await shop.stock(skus=[NewSku(options=[text])])
    with pytest.raises(CartError):
        await shop.stock(skus=[NewSku(options=["a"], code=text)])
    with pytest.raises(CartError):
        await shop.ask(text)
    with pytest.raises(CartError):
        await shop.ask(product.id, key=text)
    with pytest.raises(CartError):
        await shop.cart.checkout.order(BUYER, text)
    with pytest.raises(CartError):
        await shop.cart.holding.release(BUYER, text)
