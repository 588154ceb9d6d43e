"""What a node knows of who has bought: asked once, and never older than an order it heard of."""

import asyncio

import pytest

from chat.core.frames import pack
from chat.core.standing import Followed, Ordered, read_standing
from chat.errors import UnavailableError
from chat.ports import LOOKS_AT_ONCE
from chat.standing import KNOWN_S, PERSONS_KNOWN, Standing


class Orders:
    """A shop's orders, and a clock."""

    def __init__(self) -> None:
        self.buyers: set[str] = set()
        self.asked: list[str] = []
        self.now = 0.0
        self.answering = asyncio.Event()
        self.answering.set()
        self.looking = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def buys(self, account: str, store: str) -> bool:
        """Look before waiting, as a query does that began before a commit."""
        assert store == "flowers"
        self.asked.append(account)
        bought = account in self.buyers
        await self.answering.wait()
        if account == "lost":
            raise OSError("the database is away")
        return bought

    def known(self) -> Standing:
        """What a node knows of them."""
        return Standing(self.buys, self.looking, lambda: self.now)


async def test_somebody_is_asked_about_once_until_an_order_changes() -> None:
    orders = Orders()
    known = orders.known()
    assert [await known.has("bom", "flowers") for _ in range(3)] == [False] * 3
    orders.buyers.add("bom")
    known.changed("dal")
    assert not await known.has("bom", "flowers")
    known.changed("bom")
    assert [await known.has("bom", "flowers") for _ in range(3)] == [True] * 3
    assert orders.asked == ["bom", "bom"]
    known.forget()
    assert await known.has("bom", "flowers")
    assert len(orders.asked) == 3


async def test_an_answer_older_than_an_order_is_not_kept() -> None:
    orders = Orders()
    known = orders.known()
    orders.answering.clear()
    asking = asyncio.create_task(known.has("bom", "flowers"))
    while not orders.asked:
        await asyncio.sleep(0)
    orders.buyers.add("bom")
    known.changed("bom")
    orders.answering.set()
    assert not await asking
    assert await known.has("bom", "flowers")


async def test_what_others_buy_meanwhile_makes_no_answer_worthless() -> None:
    orders = Orders()
    known = orders.known()
    orders.answering.clear()
    asking = asyncio.create_task(known.has("bom", "flowers"))
    while not orders.asked:
        await asyncio.sleep(0)
    known.changed("dal")
    orders.answering.set()
    assert not await asking
    assert not await known.has("bom", "flowers")
    assert orders.asked == ["bom"]


async def test_what_is_known_grows_old_and_has_its_bound() -> None:
    orders = Orders()
    known = orders.known()
    await known.has("bom", "flowers")
    orders.now = KNOWN_S
    await known.has("bom", "flowers")
    assert orders.asked == ["bom", "bom"]
    for number in range(PERSONS_KNOWN):
        await known.has(f"{number}", "flowers")
    asked = len(orders.asked)
    await known.has("bom", "flowers")
    assert len(orders.asked) == asked + 1


async def test_who_cannot_be_asked_about_is_not_known() -> None:
    orders = Orders()
    known = orders.known()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await known.has("lost", "flowers")
    assert len(orders.asked) == 2


async def test_a_badge_is_not_waited_for_and_is_there_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders = Orders()
    orders.buyers.add("bom")
    known = orders.known()
    orders.answering.clear()
    monkeypatch.setattr("chat.standing.BADGE_S", 0.01)
    assert not await known.seen_soon("bom", "flowers")
    assert not await known.seen_soon("bom", "flowers")
    assert orders.asked == ["bom"]
    orders.answering.set()
    assert await known.has("bom", "flowers")
    assert await known.seen_soon("bom", "flowers")
    assert orders.asked == ["bom"]
    assert not await known.seen_soon("lost", "flowers")


async def test_only_so_many_are_asked_about_at_once() -> None:
    orders = Orders()
    rooms = [orders.known() for _ in range(4)]
    orders.answering.clear()
    asking = [asyncio.create_task(rooms[n % 4].has(f"{n % 20}", "flowers")) for n in range(40)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(orders.asked) == LOOKS_AT_ONCE
    orders.answering.set()
    assert await asyncio.gather(*asking) == [False] * 40
    assert len(orders.asked) == 20


@pytest.mark.parametrize(
    "event",
    [{"type": "stock"}, {"type": "order"}, {"type": "order", "order": {"buyer": 7}}, {"no": 1}],
)
def test_only_orders_and_followings_tell_of_somebody(event: dict[str, object]) -> None:
    assert read_standing(pack(event)) is None
    order = {"type": "order", "order": {"id": "o", "buyer": "bom"}, "offset": 3}
    told = read_standing(pack(order))
    assert isinstance(told, Ordered)
    assert told.order.buyer == "bom"
    followed = Followed("bom", follows=True)
    assert read_standing(pack(followed)) == followed
