"""The outbox: in order, nothing lost when nobody listens, nothing twice from two nodes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cart.adapters.database import Database
from cart.adapters.outbox import SqlOutbox
from cart.adapters.service import open_cart
from cart.core.event import Event
from cart.core.hold import HoldLine
from cart.relaying import Relaying
from tests.cart.shop import BUYER, Shop, admit_bidder, make_shop


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
