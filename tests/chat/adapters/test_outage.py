"""Redis lost and found: nobody keeps a wrong picture, and what cannot be said is refused."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.errors import EventTooLargeError, UnavailableError
from live.server.adapters.child import Child
from live.server.adapters.valkey import Valkey
from tests.chat.house import (
    JSON,
    PATIENCE_S,
    Event,
    House,
    Node,
    Viewer,
    open_node,
    watching,
)

NOWHERE = "redis://127.0.0.1:1"


async def kill_subscribers(client: Redis) -> int:
    """Cut every connection that has a sharded subscription; how many there were."""
    found = [c for c in await client.client_list() if int(c.get("ssub", 0)) > 0]
    for connection in found:
        await client.client_kill_filter(_id=connection["id"])
    return len(found)


def numbers(viewer: Viewer) -> list[int]:
    """The offsets a client was told since its only welcome."""
    assert [e["type"] for e in viewer.seen].count("welcome") == 1
    return [event["offset"] for event in viewer.seen[1:] if "offset" in event]


def said(viewer: Viewer) -> list[str]:
    """What a client was told that was said."""
    return [event["text"] for event in viewer.seen if event["type"] == "said"]


async def test_a_killed_subscriber_costs_nobody_an_event_or_a_saying(
    redis_url: str, client: Redis
) -> None:
    house = House()
    async with (
        open_node(redis_url, house, "one") as one,
        open_node(redis_url, house, "two") as two,
        watching(one, "bom") as bom,
        watching(one, wire=JSON) as stranger,
        watching(two, "dal") as dal,
    ):
        viewers = (bom, stranger, dal)
        for round_ in range(3):
            for step in range(20):
                if step == 10:
                    assert await kill_subscribers(client) == 2
                house.version += 1
                await publish_stock(one, house)
            await bom.say(f"round {round_}", f"{round_}")
            await bom.until_member("accepted", "id", f"{round_}")
            for viewer in viewers:
                await viewer.until_member("stock", "version", house.version)
        for viewer in viewers:
            async with asyncio.timeout(PATIENCE_S):
                while (told := said(viewer))[-1:] != ["round 2"]:
                    viewer.seen.extend(await viewer.receive())
            assert told == ["round 0", "round 1", "round 2"]
            assert numbers(viewer) == [*range(1, house.version + 1)]


@pytest.mark.parametrize("lost", ["the log", "everything"])
async def test_what_the_store_has_lost_is_told_as_how_things_are(
    redis_url: str, client: Redis, lost: str
) -> None:
    house = House()
    async with open_node(redis_url, house) as node, watching(node, "bom") as bom:
        await publish_stock(node, house)
        await bom.until("stock")
        await kill_subscribers(client)
        for _ in range(3):
            house.version += 1
            await publish_stock(node, house)
        keys = [redis_keys.log("spring")]
        if lost == "everything":
            keys.append(redis_keys.sequence("spring"))
        await client.delete(*keys)
        welcome = await bom.until("welcome")
        assert not welcome["recovered"]
        assert welcome["products"][0]["version"] == 3
        house.version += 1
        await publish_stock(node, house)
        told = await bom.until("stock")
        assert (told["version"], told["offset"]) == (4, welcome["offset"] + 1)


async def test_one_look_serves_all_who_are_told_afresh(redis_url: str, client: Redis) -> None:
    house, crowd = House(), 30
    async with open_node(redis_url, house) as node, AsyncExitStack() as watched:
        viewers = [await watched.enter_async_context(watching(node)) for _ in range(crowd)]
        await publish_stock(node, house)
        for viewer in viewers:
            await viewer.until("stock")
        await client.delete(redis_keys.log("spring"), redis_keys.sequence("spring"))
        house.looks = 0
        await kill_subscribers(client)
        for viewer in viewers:
            assert not (await viewer.until("welcome"))["recovered"]
        assert 0 < house.looks < crowd / 3


@pytest.mark.parametrize("erased", [0, 1], ids=["the one before", "the last one"])
async def test_what_was_erased_meanwhile_is_told_nobody_afresh(
    redis_url: str, client: Redis, erased: int
) -> None:
    house, texts = House(), ["my number is on the parcel", "it smells of spring"]
    async with (
        open_node(redis_url, house) as node,
        watching(node, "bom") as bom,
        watching(node) as stranger,
    ):
        said = []
        for text in texts:
            await bom.say(text, text[:2])
            said.append(await stranger.until("said"))
        await kill_subscribers(client)
        await node.chat.hub.bus.erase("spring", said[erased]["id"])
        await client.delete(redis_keys.log("spring"), redis_keys.sequence("spring"))
        afresh = await stranger.until("welcome")
        async with watching(node) as newcomer:
            for welcome in (afresh, *newcomer.seen):
                assert [each["text"] for each in welcome["talk"]] == [texts[1 - erased]]


async def publish_stock(node: Node, house: House) -> None:
    """Tell the stock as it is now."""
    event: Event = {"type": "stock", "product": "tulip", "free": 5, "version": house.version}
    await node.chat.publish("spring", event)


async def test_a_welcome_begins_again_where_its_look_at_things_began(redis_url: str) -> None:
    house = House()
    async with (
        open_node(redis_url, house) as node,
        watching(node, "dal") as dal,
        watching(node) as bom,
    ):
        house.looked_at.clear()
        house.open.clear()
        await bom.send({"type": "sync"})
        await house.looked_at.wait()
        await node.chat.publish("spring", {"type": "pin", "product": "tulip"})
        await bom.until("pin")
        await dal.say("hello")
        await bom.until("said")
        house.open.set()
        await bom.until("pin")
        kinds = [event["type"] for event in bom.seen[1:] if event["type"] != "present"]
        assert kinds == ["pin", "said", "welcome", "pin"]
        (welcome,) = [event for event in bom.seen[1:] if event["type"] == "welcome"]
        assert welcome["offset"] == 0
        assert [told["text"] for told in welcome["talk"]] == ["hello"]


async def test_without_redis_one_still_watches_and_saying_is_refused() -> None:
    async with open_node(NOWHERE, House()) as node, watching(node, "bom") as bom:
        assert bom.seen[0]["products"][0]["id"] == "tulip"
        await bom.say("anybody?", "c1")
        refused = await bom.until("refused")
        assert refused == {"type": "refused", "id": "c1", "reason": "unavailable"}
        with pytest.raises(UnavailableError):
            await node.chat.publish("spring", {"type": "pin", "product": None})
        assert await node.chat.present("spring") == 1
        await bom.send({"type": "heart", "count": 1})
        await bom.send({"type": "sync"})
        await bom.until("welcome")


async def test_an_event_too_large_is_the_publishers_fault(redis_url: str) -> None:
    async with open_node(redis_url, House()) as node:
        with pytest.raises(EventTooLargeError) as error:
            await node.chat.publish("spring", {"type": "x", "x": "x" * 70_000})
        assert error.value.facts["limit"] == 65_536


async def test_a_killed_valkey_comes_back_and_so_does_the_room(tmp_path: Path) -> None:
    spec = Valkey(tmp_path / "data", tmp_path / "s")
    store = Child(spec, tmp_path / "log")
    await store.start()
    try:
        async with open_node(spec.url, House()) as node, watching(node, "bom") as bom:
            await bom.say("before", "1")
            await bom.until("accepted")
            assert store.pid is not None
            async with asyncio.timeout(PATIENCE_S), store.restarted:
                os.kill(store.pid, signal.SIGKILL)
                await store.restarted.wait()
            welcome = await bom.until("welcome")
            assert welcome["products"][0]["id"] == "tulip"
            await bom.say("after", "2")
            await bom.until_member("said", "text", "after")
    finally:
        await store.stop()
