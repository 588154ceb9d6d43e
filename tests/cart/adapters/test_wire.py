"""Hostile values stop at the door: none of them becomes a struct, or a row."""

from typing import Any

import msgspec
import pytest

from cart.adapters import wire
from cart.errors import CartError
from tests.cart.shop import BUYER, SELLER, Shop

HUGE = 2**63
RECIPIENT = {"name": "김봄", "phone": "010-1234-5678", "address": "서울"}
PRODUCT = {"title": "t", "price_minor": 1, "stock": 1}

HOSTILE: list[tuple[Any, Any]] = [
    (wire.NewHold, None),
    (wire.NewHold, []),
    (wire.NewHold, {}),
    (wire.NewHold, {"product": ""}),
    (wire.NewHold, {"product": 1}),
    (wire.NewHold, {"product": "x" * 65}),
    (wire.NewHold, {"product": {"$ne": None}}),
    (wire.NewHold, {"product": "p", "quantity": 0}),
    (wire.NewHold, {"product": "p", "quantity": -1}),
    (wire.NewHold, {"product": "p", "quantity": 1.5}),
    (wire.NewHold, {"product": "p", "quantity": "1"}),
    (wire.NewHold, {"product": "p", "quantity": True}),
    (wire.NewHold, {"product": "p", "quantity": HUGE}),
    (wire.NewHold, {"product": "p", "quantity": float("nan")}),
    (wire.NewHold, {"product": "p", "price_minor": 1}),
    (wire.NewHold, {"product": "p", "buyer": "somebody else"}),
    (wire.NewHold, {"product": "p", "show": ["s"]}),
    (wire.NewOrder, {"holds": [], "recipient": RECIPIENT}),
    (wire.NewOrder, {"holds": ["h"] * 21, "recipient": RECIPIENT}),
    (wire.NewOrder, {"holds": "h", "recipient": RECIPIENT}),
    (wire.NewOrder, {"holds": [None], "recipient": RECIPIENT}),
    (wire.NewOrder, {"holds": ["h"]}),
    (wire.NewOrder, {"holds": ["h"], "recipient": {}}),
    (wire.NewOrder, {"holds": ["h"], "recipient": RECIPIENT | {"name": "x" * 81}}),
    (wire.NewOrder, {"holds": ["h"], "recipient": RECIPIENT | {"total_minor": 0}}),
    (wire.NewProduct, PRODUCT | {"price_minor": 0}),
    (wire.NewProduct, PRODUCT | {"price_minor": -1}),
    (wire.NewProduct, PRODUCT | {"price_minor": HUGE}),
    (wire.NewProduct, PRODUCT | {"price_minor": 0.1}),
    (wire.NewProduct, PRODUCT | {"stock": -1}),
    (wire.NewProduct, PRODUCT | {"stock": 10**9}),
    (wire.NewProduct, PRODUCT | {"limit_per_buyer": 0}),
    (wire.NewProduct, PRODUCT | {"title": ""}),
    (wire.NewProduct, PRODUCT | {"title": "x" * 121}),
    (wire.NewProduct, PRODUCT | {"sold": 5}),
    (wire.ProductChange, {"stock_change": HUGE}),
    (wire.ProductChange, {"stock_change": "5"}),
    (wire.ProductChange, {"title": None}),
    (wire.ProductChange, {"free": 5}),
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
        await shopping.add_product(
            SELLER,
            "camellia",
            title=text,
            description="",
            price_minor=1,
            stock=1,
            limit_per_buyer=None,
        )
    with pytest.raises(CartError):
        await shop.cart.holding.hold(BUYER, "k", product=text)
    with pytest.raises(CartError):
        await shop.cart.holding.hold(BUYER, text, product=product.id)
    with pytest.raises(CartError):
        await shop.cart.checkout.order(BUYER, text)
    with pytest.raises(CartError):
        await shop.cart.holding.release(BUYER, text)
