"""What the assistant is told of a product in a deal is what it costs in that show now."""

from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec
import pytest

from cart.adapters.service import Cart
from cart.core.catalog import Product, ProductSku, Store
from cart.core.deal import Deal, DealKind, DealState
from chat.core.assistant.facts import Ware
from chat.core.assistant.sentences import price
from live.server.shop_facts import ShopFacts
from live.show.core.stage import Show
from live.show.shows import Shows

NOW: Final = 1_000
PILES: Final[dict[str, int]] = {"on_hand": 5, "free": 5, "held": 0, "sold": 0}
TEA: Final = Product(
    id="p1",
    store="flowers",
    title="동백꽃차",
    description="",
    price_minor=12_000,
    currency="KRW",
    picture=None,
    limit_per_buyer=None,
    option_names=(),
    skus=(ProductSku(id="p1", options=(), price_minor=12_000, code=None, **PILES),),
    version=1,
    **PILES,
)
DROP: Final = Deal(
    id="d1",
    store="flowers",
    show="s1",
    product="p1",
    kind=DealKind.FLASH,
    state=DealState.RUNNING,
    price_minor=None,
    percent_off=50,
    skus=(),
    units=3,
    taken=0,
    limit_per_buyer=None,
    shuts=False,
    length_ms=60_000,
    starts_at_ms=NOW,
    ends_at_ms=NOW + 60_000,
    version=1,
)


async def ware(deal: Deal | None, now_ms: int = NOW) -> Ware:
    """The one product of the show, as the assistant is told of it."""

    async def show(name: str) -> Show:
        return Show(name, "flowers", "차")

    async def products_in(_store: str) -> list[Product]:
        return [TEA]

    async def ruling(_show: str) -> tuple[list[Deal], int]:
        return ([] if deal is None else [deal]), now_ms

    async def store(_slug: str) -> Store:
        return Store(slug="flowers", name="꽃", story="", owner="a1", currency="KRW")

    cart: Any = SimpleNamespace(
        shopping=SimpleNamespace(products_in=products_in, store=store),
        dealing=SimpleNamespace(ruling=ruling),
    )
    shows: Any = SimpleNamespace(show=show)
    (told,) = (await ShopFacts(cast("Shows", shows), cast("Cart", cart)).shop("s1", None)).wares
    return told


async def test_the_price_of_a_running_deal_and_the_one_before() -> None:
    told = await ware(DROP)
    assert (told.price_minor, told.was_minor) == (6_000, 12_000)
    assert price(told, korean=True) == "동백꽃차: 할인해서 6,000원이에요 (원래 12,000원)."


@pytest.mark.parametrize(
    ("change", "now_ms"),
    [
        ({}, NOW + 60_000),
        ({"state": DealState.ANNOUNCED, "starts_at_ms": NOW + 1}, NOW),
        ({"taken": 3}, NOW),
        ({"skus": ("another",)}, NOW),
    ],
)
async def test_no_deal_is_told_that_is_not_to_be_had(change: dict[str, Any], now_ms: int) -> None:
    told = await ware(msgspec.structs.replace(DROP, **change), now_ms)
    assert (told.price_minor, told.was_minor) == (12_000, None)
    assert (await ware(None)).price_minor == 12_000
