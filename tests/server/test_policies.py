"""Events of one package become commands to another."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest_asyncio

from chat.core.addressee import person
from live.server.policies import CartToRooms, ShowsToRooms, StageDoor
from live.show.core.stage import Show, Stage
from live.show.ports import Arranged, Ended, Pinned, WentOffAir, WentOnAir
from tests.server.world import World

SHOW = Show("s1", "flowers", "장미", pinned="p1")


class Rooms:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any], str]] = []
        self.keys: list[str | None] = []
        self.ended: list[str] = []

    async def publish(
        self, show: str, event: Mapping[str, Any], to: str = "", key: str | None = None
    ) -> None:
        self.heard.append((show, dict(event), to))
        self.keys.append(key)


async def follow(show: str) -> None:
    """No deals here."""


class DeafRooms(Rooms):
    """Is away."""

    async def publish(
        self, show: str, event: Mapping[str, Any], to: str = "", key: str | None = None
    ) -> None:
        raise ConnectionError("away")


async def products(ids: Sequence[str]) -> list[dict[str, Any]]:
    return [{"id": product} for product in ids]


async def test_shows_events_reach_their_room() -> None:
    rooms = Rooms()
    tell = ShowsToRooms(rooms.publish, products, rooms.ended.append, follow)
    arranged = Arranged(SHOW, ("p2",))
    for event in (WentOnAir(SHOW), WentOffAir(SHOW), Pinned(SHOW), arranged, Ended(SHOW)):
        await tell(event)
    assert [message for _, message, _ in rooms.heard] == [
        {"type": "on_air", "on_air": True},
        {"type": "on_air", "on_air": False},
        {"type": "pin", "product": "p1"},
        {"type": "product", "product": {"id": "p2"}},
        {"type": "on_air", "on_air": False},
        {"type": "ended"},
    ]
    assert rooms.ended == ["s1"]


async def test_deals_follow_their_show() -> None:
    """When it comes on air and when it ends; whatever becomes of them, the show goes on."""
    rooms = Rooms()
    followed: list[str] = []

    async def note(show: str) -> None:
        followed.append(show)
        raise ConnectionError("away")

    tell = ShowsToRooms(rooms.publish, products, rooms.ended.append, note)
    for event in (WentOnAir(SHOW), WentOffAir(SHOW), Pinned(SHOW), Ended(SHOW)):
        await tell(event)
    assert followed == ["s1", "s1"]


async def test_viewers_hear_of_the_end_before_their_sessions_end() -> None:
    rooms = Rooms()
    story: list[str] = []
    tell = ShowsToRooms(
        rooms.publish,
        products,
        lambda _show: story.extend(m["type"] for _, m, _ in rooms.heard),
        follow,
    )
    await tell(Ended(SHOW))
    assert story == ["on_air", "ended"]


async def test_a_room_that_is_away_does_not_undo_a_change() -> None:
    rooms = DeafRooms()
    await ShowsToRooms(rooms.publish, products, rooms.ended.append, follow)(Ended(SHOW))
    assert rooms.ended == ["s1"]


@pytest_asyncio.fixture
async def show(world: World) -> str:
    """A show of `flowers` that carries p1 alone."""
    owner = await world.person()
    world.owners["flowers"] = owner
    world.shelves["flowers"] = ["p1", "p2"]
    show = await world.shows.schedule(owner, "flowers", "장미", None)
    await world.shows.arrange(owner, show.id, ["p1"])
    return show.id


async def test_carts_events_reach_the_rooms_that_carry_the_product(world: World, show: str) -> None:
    rooms = Rooms()
    tell = CartToRooms(world.shows, rooms.publish)
    stock = {"type": "stock", "product": "p1", "free": 1}
    edited = {"type": "product", "product": {"id": "p1"}}
    order = {"type": "order", "order": {"id": "o1"}}
    wait = {"type": "wait", "product": "p1"}
    await tell(
        "flowers",
        [
            stock | {"key": "1"},
            stock | {"product": "p2", "key": "2"},
            edited | {"key": "3"},
            {"type": "product", "product": {"id": "p2"}, "key": "4"},
            order | {"audience": "seller", "key": "5"},
            wait | {"audience": "person", "person": "haru", "key": "6"},
        ],
    )
    deal = {"type": "deal", "deal": {"product": "p2"}}
    await tell("flowers", [deal | {"show": show, "key": "7"}, deal | {"show": "s9", "key": "8"}])
    await tell("other", [stock | {"key": "9"}])
    assert rooms.heard == [
        (show, stock, ""),
        (show, edited, ""),
        (show, order, "seller"),
        (show, wait, person("haru")),
        (show, deal, ""),
    ]
    assert rooms.keys == ["1", "3", "5", "6", "7"]


async def test_an_auction_is_told_in_its_show_and_a_bidder_alone_how_it_fares(
    world: World, show: str
) -> None:
    rooms = Rooms()
    other = await world.shows.schedule(world.owners["flowers"], "flowers", "국화", None)
    state = {"type": "auction", "auction": {"id": "x1"}}
    fares = {"type": "bidding", "auction": "x1", "version": 2}
    await CartToRooms(world.shows, rooms.publish)(
        "flowers",
        [
            state | {"show": other.id, "key": "1"},
            fares | {"show": show, "audience": "person", "person": "ann", "key": "2"},
        ],
    )
    assert rooms.heard == [(other.id, state, ""), (show, fares, "@ann")]


async def test_nobody_s_own_waits_for_another_s(world: World, show: str) -> None:
    """Each hears in order; who is slow to be told delays nobody else but what is for all after."""
    others_heard = asyncio.Event()

    class SlowForAnn(Rooms):
        async def publish(
            self, show: str, event: Mapping[str, Any], to: str = "", key: str | None = None
        ) -> None:
            if to == person("ann"):
                await others_heard.wait()
            await super().publish(show, event, to, key)
            if to == person("bo") and event["type"] == "wait":
                others_heard.set()

    def own(kind: str, whose: str) -> dict[str, Any]:
        return {"type": kind, "audience": "person", "person": whose, "key": kind + whose}

    rooms = SlowForAnn()
    events = [own("offer", "ann"), own("offer", "bo"), own("wait", "ann"), own("wait", "bo")]
    async with asyncio.timeout(10):
        await CartToRooms(world.shows, rooms.publish)(
            "flowers", [*events, {"type": "stock", "product": "p1", "key": "1"}]
        )
    ann, bo = person("ann"), person("bo")
    assert [(to, event["type"]) for _, event, to in rooms.heard] == [
        *((bo, "offer"), (bo, "wait"), (ann, "offer"), (ann, "wait")),
        ("", "stock"),
    ]


async def test_the_stage_door_tells_shows_the_latest_word(world: World, show: str) -> None:
    door = StageDoor()
    door.on_stage("none", True)
    door.on_stage(show, False)
    door.on_stage(show, True)
    world.told.clear()
    running = asyncio.create_task(door.run(world.shows))
    async with asyncio.timeout(10):
        while not world.told:
            await asyncio.sleep(0)
    running.cancel()
    assert [type(event) for event in world.told] == [WentOnAir]
    assert (await world.shows.show(show)).stage is Stage.LIVE
