"""The outbox: in order, nothing lost when nobody listens, nothing twice from two nodes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cart.adapters.database import Database
from cart.adapters.outbox import SqlOutbox
from cart.adapters.service import open_cart
from cart.core.event import Event
from cart.core.hold import HoldLine
from cart.ports.outbox import Taken
from cart.relaying import PART_LIMIT, PUBLISH_WITHIN_S, ROUND_S, TAKE_LIMIT, Relaying
from tests.cart.shop import BUYER, Shop, admit_bidder, make_shop
from tests.sim.clock import VirtualLoop


async def test_events_wait_until_they_can_be_told(shop: Shop) -> None:
    reachable = False
    told: list[Event] = []

    async def publish(store: str, events: Sequence[Event]) -> None:
        if not reachable:
            raise ConnectionError("nobody listens")
        told.extend(events)

    relaying = Relaying(SqlOutbox(Database(shop.engine)), publish, asyncio.Event())
    product = await shop.stock(2)
    await shop.hold(product)
    with pytest.raises(ConnectionError):
        await relaying.relay()
    reachable = True
    await relaying.relay()
    assert [event["type"] for event in told] == ["product", "stock"]
    await relaying.relay()
    assert len(told) == 2


async def test_an_event_told_again_has_the_same_key_and_no_other_has_it(shop: Shop) -> None:
    told: list[list[str]] = []

    async def publish(store: str, events: Sequence[Event]) -> None:
        told.append([event["key"] for event in events])
        if len(told) == 1:
            raise ConnectionError("nobody knows whether it was heard")

    relaying = Relaying(SqlOutbox(Database(shop.engine)), publish, asyncio.Event())
    product = await shop.stock(2)
    await shop.hold(product)
    with pytest.raises(ConnectionError):
        await relaying.relay()
    await relaying.relay()
    assert told[0] == told[1]
    assert len({*told[0]}) == 2


async def test_two_nodes_tell_each_event_once(shop: Shop) -> None:
    other = make_shop(shop.engine)
    product = await shop.stock(20)
    for number in range(10):
        await shop.hold(product, key=f"k{number}")
        await asyncio.gather(shop.cart.relaying.relay(), other.cart.relaying.relay())
    told = [event for _, event in shop.told + other.told if event["type"] == "stock"]
    assert sorted(event["free"] for event in told) == list(range(10, 20))


async def test_only_the_newest_stock_of_a_batch_is_told(shop: Shop) -> None:
    product = await shop.stock(20)
    for number in range(5):
        await shop.hold(product, key=f"k{number}")
    assert [event["free"] for event in await shop.hear("stock")] == [15]


async def test_what_was_told_before_a_failure_is_not_told_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cart.relaying.PART_LIMIT", 2)
    told: list[list[str]] = []

    async def publish(store: str, events: Sequence[Event]) -> None:
        told.append([event["product"]["id"] for event in events])
        if len(told) == 3:
            raise ConnectionError("nobody knows whether it was heard")

    relaying = Relaying(SqlOutbox(Database(shop.engine)), publish, asyncio.Event())
    ids = [(await shop.stock()).id for _ in range(7)]
    with pytest.raises(ConnectionError):
        await relaying.relay()
    while await relaying.relay():
        pass
    assert told[:3] == [ids[:2], ids[2:4], ids[4:6]]
    assert [one for part in told[3:] for one in part] == ids[4:]


class InMemory:
    """An outbox without a database; it knows how long it was kept from others."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.left = list(events)
        self.longest_s = 0.0

    @asynccontextmanager
    async def take(self, limit: int) -> AsyncIterator[Taken]:
        """The oldest; those told are gone."""
        clock = asyncio.get_running_loop().time
        began_s = clock()
        taken = Taken([("s", event) for event in self.left[:limit]])
        yield taken
        self.longest_s = max(self.longest_s, clock() - began_s)
        del self.left[: taken.told]


def told_slowly(each_s: float, events: Sequence[Event]) -> tuple[list[Event], float]:
    """The events as the rooms hear them when telling one takes so long, and how long rounds were.

    Fails when not all have got through in ten times the time that telling them takes.
    """
    outbox, heard = InMemory(events), list[Event]()

    async def publish(store: str, part: Sequence[Event]) -> None:
        for event in part:
            with suppress(TimeoutError):
                async with asyncio.timeout(each_s):
                    await asyncio.Event().wait()
            heard.append(event)

    async def run() -> None:
        relaying = Relaying(outbox, publish, asyncio.Event())
        async with asyncio.timeout(10 * each_s * len(events)):
            while outbox.left:
                with suppress(TimeoutError):
                    await relaying.relay()

    loop = VirtualLoop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return heard, outbox.longest_s


@pytest.mark.parametrize("part_s", [0.9 * PUBLISH_WITHIN_S, 1.2 * PUBLISH_WITHIN_S, 30.0])
def test_a_slow_way_out_is_taken_in_small_steps(part_s: float) -> None:
    """Also where a whole part never is told in time, and a whole round even less so."""
    events: list[Event] = [
        {"type": "order", "order": {"id": f"{n}"}, "key": f"outbox {n}"}
        for n in range(2 * TAKE_LIMIT)
    ]
    heard, longest_s = told_slowly(part_s / PART_LIMIT, events)
    once = list({event["key"]: event for event in heard}.values())
    assert once == events, "in order, none lost"
    assert len(heard) < 2 * len(events), "most are told once"
    assert longest_s <= ROUND_S + PUBLISH_WITHIN_S


@pytest.mark.parametrize("part_s", [0.1, 30.0])
def test_no_older_state_is_told_after_a_newer_one(part_s: float) -> None:
    events: list[Event] = [
        {"type": "waiting", "product": f"{n % 7}", "length": n, "key": f"outbox {n}"}
        if n % 2
        else {"type": "order", "order": {"id": f"{n}"}, "key": f"outbox {n}"}
        for n in range(2 * TAKE_LIMIT)
    ]
    heard, _ = told_slowly(part_s / PART_LIMIT, events)
    once = {event["key"]: event for event in heard}.values()
    for product in map(str, range(7)):
        of_it = [event["length"] for event in once if event.get("product") == product]
        assert of_it == sorted(of_it)
        assert of_it[-1] == max(e["length"] for e in events if e.get("product") == product)


async def test_events_of_stores_stay_apart(shop: Shop) -> None:
    await shop.stock(1, slug="one")
    await shop.stock(1, slug="two")
    await shop.hear("product")
    assert [(store, event["product"]["store"]) for store, event in shop.told] == [
        ("one", "one"),
        ("two", "two"),
    ]


async def test_whole_cart_tells_at_once_and_outlives_a_lost_connection(shop: Shop) -> None:
    heard: asyncio.Queue[Event] = asyncio.Queue()

    async def publish(store: str, events: Sequence[Event]) -> None:
        for event in events:
            heard.put_nowait(event)

    product = await shop.stock(2)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    providers = {"sandbox": shop.sandbox}
    async with (
        asyncio.timeout(10),
        open_cart(
            shop.engine,
            publish=publish,
            providers=providers,
            hold_seconds=60,
            find_show=shop.find_show,
            offer_seconds=60,
            admit_bidder=admit_bidder,
        ) as cart,
    ):
        await cart.holding.hold(BUYER, "a", [HoldLine(sku=product.id)])
        while (await heard.get())["type"] != "stock":
            pass
        async with shop.engine.connect() as connection:
            await connection.execute(others)
        again = None
        while again is None:
            with suppress(DBAPIError):
                again = await cart.holding.hold(BUYER, "b", [HoldLine(sku=product.id)])
        last = await heard.get()
        assert (last["type"], last["free"], last["held"]) == ("stock", 0, 2)
