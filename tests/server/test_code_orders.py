"""Lines that may be codes go to cart; what became of them goes to whoever said them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from cart.code_sales import CodeSales, Spoken
from cart.core.catalog import KEY
from live.server.code_orders import WAITING, CodeOrders


class Counter:
    """Sells whatever is named A12; Z breaks it."""

    def __init__(self) -> None:
        self.asked: list[Spoken] = []

    async def hear(self, spoken: Spoken) -> dict[str, Any] | None:
        self.asked.append(spoken)
        if spoken.line == "Z":
            raise ConnectionError("away")
        return {"type": "code", "saying": spoken.saying} if spoken.line == "A12" else None


class Rooms:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, str, str, str | None]] = asyncio.Queue()

    async def publish(
        self, show: str, event: Mapping[str, Any], to: str = "", key: str | None = None
    ) -> None:
        self.told.put_nowait((show, event["saying"], to, key))


def said(text: str, saying: str = "m1", **more: Any) -> dict[str, Any]:
    """What somebody said, as the room tells it."""
    return {"type": "said", "id": saying, "from": {"id": "bom"}, "text": text, **more}


@asynccontextmanager
async def selling() -> AsyncIterator[tuple[CodeOrders, Counter, Rooms]]:
    """Orders that are served."""
    counter, rooms = Counter(), Rooms()
    orders = CodeOrders(cast("CodeSales", counter), rooms.publish)
    running = asyncio.create_task(orders.run())
    yield orders, counter, rooms
    running.cancel()


async def test_only_its_author_hears_what_became_of_it() -> None:
    async with selling() as (orders, counter, rooms):
        orders.overhear("s1", said("A12"), "bom:1")
        show, saying, to, key = await rooms.told.get()
        assert (show, saying, to) == ("s1", "m1", "@bom")
        (asked,) = counter.asked
        assert (asked.buyer, asked.key) == ("bom", key)
        assert KEY.fullmatch(asked.key)


async def test_the_same_saying_has_the_same_key_and_others_have_others() -> None:
    async with selling() as (orders, counter, rooms):
        for show, key in (("s1", "bom:1"), ("s1", "bom:1"), ("s1", "bom:é\ud800"), ("s2", "bom:1")):
            orders.overhear(show, said("A12"), key)
        keys = [(await rooms.told.get())[3] for _ in range(4)]
        assert keys[0] == keys[1]
        assert len(set(keys)) == 3
        assert len(counter.asked) == 4


async def test_talk_and_questions_are_left_alone_and_a_failure_ends_nothing() -> None:
    async with selling() as (orders, counter, rooms):
        orders.overhear("s1", said("정말 예쁘네요, 얼마예요?"), "1")
        orders.overhear("s1", said("A12", question=True), "2")
        orders.overhear("s1", said("Z"), "3")
        orders.overhear("s1", said("A12", "m4"), "4")
        assert (await rooms.told.get())[1] == "m4"
        assert [asked.line for asked in counter.asked] == ["Z", "A12"]


async def test_no_more_wait_than_may() -> None:
    """The rest buys nothing, and delays nobody."""
    counter, rooms = Counter(), Rooms()
    orders = CodeOrders(cast("CodeSales", counter), rooms.publish)
    for number in range(WAITING + 5):
        orders.overhear("s1", said("A12", f"m{number}"), str(number))
    running = asyncio.create_task(orders.run())
    told = [await rooms.told.get() for _ in range(WAITING)]
    running.cancel()
    assert len({key for *_, key in told}) == WAITING
    assert rooms.told.empty()
    assert len(counter.asked) == WAITING
