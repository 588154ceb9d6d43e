"""Comment to buy on a real database: a code is a hold, once, and only where it is to be."""

import asyncio
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.code_sales import CodeSales, Spoken
from cart.core.deal import DealKind
from cart.core.draft import NewSku, ProductChange, SkuChange
from cart.core.event import Event
from cart.dealing import Terms
from cart.errors import Forbidden, NotFound
from cart.ports.deals import CodeBook, Codes, ShowFacts
from tests.cart.shop import BUYER, SELLER, STRANGER, Shop, make_shop

LIVE = ShowFacts("camellia", "live", ())


async def say(
    shop: Shop, line: str, key: str = "say-1", *, buyer: str = BUYER, show: str = "s"
) -> Event | None:
    """What somebody hears after saying it."""
    return await shop.cart.codes.hear(Spoken(show, buyer, f"id of {key}", key, line))


async def test_a_code_becomes_a_hold_of_whoever_said_it(shop: Shop) -> None:
    """In the words of the room, at the price of the show's deal."""
    shop.shows["s"] = LIVE
    red, blue = (
        NewSku(options=["빨강"], stock=9, code="A-1"),
        NewSku(options=["파랑"], stock=9, code="동백"),
    )
    product = await shop.stock(skus=[red, blue])
    terms = Terms(product=product.id, kind=DealKind.LIVE, percent_off=50)
    await shop.cart.dealing.announce(SELLER, "s", "k", terms)
    heard = await say(shop, "동백 2개")
    assert heard is not None
    held = heard.pop("hold")
    assert heard == {
        "type": "code",
        "saying": "id of say-1",
        "code": "동백",
        "product": product.id,
        "sku": product.skus[1].id,
        "quantity": 2,
        "outcome": "held",
    }
    holds, _ = await shop.cart.holding.live(BUYER)
    assert [(hold.id, hold.quantity, hold.price_minor, hold.show) for hold in holds] == [
        (held["id"], 2, 6_000, "s")
    ]
    assert (await say(shop, "Ａ－１", "say-2") or {})["sku"] == product.skus[0].id


async def test_talk_buys_nothing(shop: Shop) -> None:
    """Nor does a code that nobody has set."""
    shop.shows["s"] = LIVE
    product = await shop.stock(skus=[NewSku(options=["빨강"], stock=9, code="A1")])
    for line in ("안녕하세요", "A1 있어요?", "A1 말고", "B1 주세요", "A1 사고 싶어요!", "ㅋㅋㅋ"):
        assert await say(shop, line) is None
    assert await shop.counters(product) == (9, 0, 0)


async def test_what_is_repeated_is_bought_once_on_whichever_node(
    shop: Shop, engine: AsyncEngine
) -> None:
    """The saying's key is the hold's."""
    shop.shows["s"] = LIVE
    other = make_shop(engine)
    other.shows["s"] = LIVE
    product = await shop.stock(skus=[NewSku(options=["빨강"], stock=9, code="A1")])
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(other.cart.holding.run())
        heard = await asyncio.gather(*(say(node, "A1") for node in (shop, other) * 5))
        committing.cancel()
    assert {one["hold"]["id"] for one in heard if one} == {
        hold.id for hold in (await shop.cart.holding.live(BUYER))[0]
    }
    assert await shop.counters(product) == (8, 1, 0)


async def test_refusals_are_told(shop: Shop) -> None:
    """Sold out, the limit, and when the books are out of reach."""
    shop.shows["s"] = LIVE
    product = await shop.stock(limit=2, skus=[NewSku(options=["빨강"], stock=3, code="A1")])
    told = [await say(shop, f"A1 {n}", f"k{n}") for n in (3, 2)]
    assert [one["outcome"] for one in told if one] == ["limit_reached", "held"]
    other = await say(shop, "A1 2", buyer=STRANGER)
    assert other is not None
    assert (other["outcome"], other["hold"]) == ("sold_out", None)
    terms = Terms(product.id, DealKind.FLASH, percent_off=50, units=1, length_s=60, starts_in_s=0)
    await shop.cart.dealing.announce(SELLER, "s", "k", terms)
    short = await say(shop, "A1 2", "k4", buyer="somebody")
    assert short is not None
    assert short["outcome"] == "deal_short"
    assert (await say(shop, "A1", "schlüssel") or {})["outcome"] == "unavailable"


async def test_only_in_a_live_show_that_sells_by_codes(shop: Shop) -> None:
    """The seller's switch, the show's stage, and what it carries."""
    now = [0.0]
    shop.shows["s"] = LIVE
    product = await shop.stock(skus=[NewSku(options=["빨강"], stock=9, code="A1")])
    used = shop.cart.codes
    codes = CodeSales(
        used._book, shop.cart.holding, shop.cart.shopping, shop.find_show, clock=lambda: now[0]
    )

    async def buys(key: str) -> bool:
        now[0] += 10
        return await codes.hear(Spoken("s", BUYER, key, key, "A1")) is not None

    assert await buys("a")
    assert await codes.switch(SELLER, "s", opened=False) is False
    assert (await codes.is_open("s"), await buys("b")) == (False, False)
    assert [told["open"] for told in await shop.cart.offers("s")] == [False]
    (told,) = await shop.hear("codes")
    assert (told["show"], told["open"]) == ("s", False)
    await codes.switch(SELLER, "s", opened=True)
    assert [told["open"] for told in await shop.hear("codes")] == [False, True]
    assert await buys("c")
    for facts in (
        ShowFacts("camellia", "scheduled", ()),
        ShowFacts("camellia", "ended", ()),
        ShowFacts("camellia", "live", ("another",)),
    ):
        shop.shows["s"] = facts
        assert not await buys("d")
    del shop.shows["s"]
    assert not await buys("e")
    assert await shop.counters(product) == (7, 2, 0)


async def test_who_may_switch_it(shop: Shop) -> None:
    """The show's seller."""
    shop.shows["s"] = LIVE
    await shop.stock(1)
    with pytest.raises(Forbidden):
        await shop.cart.codes.switch(STRANGER, "s", opened=False)
    for show in ("none", "nul\x00"):
        with pytest.raises(NotFound):
            await shop.cart.codes.is_open(show)


async def test_ordinary_talk_asks_the_database_once_in_a_while(shop: Shop) -> None:
    """A room that says much costs a look every second."""
    shop.shows["s"] = LIVE
    await shop.stock(skus=[NewSku(options=["빨강"], stock=9, code="A1")])
    now = [0.0]
    asked: list[str] = []

    async def find_show(show: str) -> ShowFacts | None:
        asked.append(show)
        return shop.shows.get(show)

    used = shop.cart.codes
    codes = CodeSales(
        used._book, shop.cart.holding, shop.cart.shopping, find_show, clock=lambda: now[0]
    )
    for number in range(50):
        now[0] += 0.1
        assert await codes.hear(Spoken("s", BUYER, "id", "key", f"말{number}")) is None
    assert len(asked) == 5


class CountedBook:
    """The shop's codes, and how often all of them were read."""

    def __init__(self, shop: Shop) -> None:
        self.kept = shop.cart.codes._book
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.kept, name)

    async def codes(self, store: str) -> Codes:
        """Read them all, with a moment in between for others to ask too."""
        self.reads += 1
        await asyncio.sleep(0)
        return await self.kept.codes(store)


async def test_codes_are_read_again_only_when_they_changed(shop: Shop) -> None:
    """Whatever is said and bought: once for many who speak at once, later for a new one."""
    shop.shows["s"] = LIVE
    red, blue = [NewSku(options=[one], stock=9, code=one) for one in ("R1", "B1")]
    product = await shop.stock(skus=[red, blue])
    book, now = CountedBook(shop), [10.0]
    codes = CodeSales(
        cast("CodeBook", book),
        shop.cart.holding,
        shop.cart.shopping,
        shop.find_show,
        clock=lambda: now[0],
    )

    async def hear(line: str, key: str) -> str | None:
        heard = await codes.hear(Spoken("s", BUYER, key, key, line))
        return None if heard is None else str(heard["sku"])

    ids = [sku.id for sku in product.skus]
    heard = await asyncio.gather(*(hear(("R1", "B1")[n % 2], f"k{n}") for n in range(8)))
    assert (heard, book.reads) == (ids * 4, 1)
    for second in range(3):
        now[0] += 1
        assert await hear("R1", f"again-{second}") == ids[0]
    assert book.reads == 1
    swapped = [SkuChange(id=ids[0], code="B1"), SkuChange(id=ids[1], code="R1")]
    await shop.cart.shopping.edit_product(SELLER, product.id, ProductChange(skus=swapped))
    assert await hear("R1", "stale") == ids[0]
    now[0] += 1
    assert (await hear("R1", "swapped"), book.reads) == (ids[1], 2)
    new = NewSku(options=["G1"], stock=1, code="G1")
    await shop.cart.shopping.edit_product(SELLER, product.id, ProductChange(new_skus=[new]))
    assert await hear("G1", "early") is None
    now[0] += 1
    assert (await hear("G1", "new") is not None, book.reads) == (True, 3)
