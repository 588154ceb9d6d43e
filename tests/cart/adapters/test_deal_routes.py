"""Deals and codes over HTTP: what is asked, what is answered, what is refused."""

from typing import Any

import msgspec
import pytest

from cart.adapters.deal_routes import CodeSwitch, Deals, NewDeal, Start, operations
from cart.adapters.routes import granted
from cart.core.deal import Deal, DealShort, DealState, NotForSale
from cart.errors import CartError
from cart.ports.deals import ShowFacts
from tests.cart.shop import SELLER, Shop

FLASH = {"kind": "flash", "percent_off": 50, "units": 5, "length_s": 60}


async def test_a_deal_from_its_announcement_to_its_end(shop: Shop) -> None:
    handlers = {(method, path): handler for method, path, handler, _ in operations(shop.cart)}
    product = await shop.stock(9)
    shop.shows["s"] = ShowFacts("camellia", "live", ())
    body = msgspec.convert(FLASH | {"product": product.id}, NewDeal)
    announce = handlers["POST", "/shows/{show}/deals"]
    made: Deal = await announce(SELLER, "key", "s", body)
    assert (await announce(SELLER, "key", "s", body)).id == made.id
    started = await handlers["POST", "/deals/{id}/start"](SELLER, made.id, Start(countdown_s=10))
    assert started.state is DealState.ANNOUNCED
    listed: Deals = await handlers["GET", "/shows/{show}/deals"]("s")
    assert listed.deals == [started]
    assert listed.now_ms < started.starts_at_ms
    ended = await handlers["POST", "/deals/{id}/end"](SELLER, made.id)
    assert ended.state is DealState.CANCELLED
    switched = await handlers["PUT", "/shows/{show}/codes"](SELLER, "s", CodeSwitch(open=False))
    assert await handlers["GET", "/shows/{show}/codes"]("s") == switched == CodeSwitch(open=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"percent_off": 0},
        {"percent_off": 91},
        {"price_minor": 0},
        {"units": 1_000_001},
        {"limit_per_buyer": 0},
        {"length_s": 59},
        {"length_s": 1_201},
        {"starts_in_s": 301},
        {"starts_in_s": -1},
        {"kind": "auction"},
        {"skus": ["s"] * 101},
        {"who": "me"},
    ],
)
def test_bounds_of_what_is_asked(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(FLASH | {"product": "p"} | wrong, NewDeal)


@pytest.mark.parametrize(
    ("refusal", "code", "facts"),
    [
        (DealShort("p", 2), "deal_short", {"product": "p", "left": 2}),
        (NotForSale("p"), "not_for_sale", {"product": "p"}),
    ],
)
def test_refusals_have_codes(
    refusal: DealShort | NotForSale, code: str, facts: dict[str, Any]
) -> None:
    with pytest.raises(CartError) as raised:
        granted(refusal)
    assert (raised.value.code, raised.value.facts) == (code, facts)
