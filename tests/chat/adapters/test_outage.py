"""Redis lost and found: nobody keeps a wrong picture, and what cannot be said is refused."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from chat.core.frames import Event as Packed
from chat.core.frames import Lane, pack
from chat.errors import EventTooLargeError, UnavailableError
from live.server.adapters.child import Child
from live.server.adapters.valkey import Valkey
from tests.chat.house import JSON, PATIENCE_S, Event, House, Node, Viewer, open_node, watching

NOWHERE = "redis://127.0.0.1:1"


@pytest_asyncio.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client beside the room's own."""
    async with Redis.from_url(redis_url) as client:
        yield client


async def kill_subscribers(client: Redis) -> int:
    """Cut every connection that has a sharded subscription; how many there were."""
    found = [c for c in await client.client_list() if int(c.get("ssub", 0)) > 0]
    for connection in found:
        await client.client_kill_filter(_id=connection["id"])
    return len(found)


def picture(viewer: Viewer) -> int:
    """The stock a client ends with: the last snapshot and the newest version after it."""
    version = -1
    for event in viewer.seen:
        if event["type"] == "welcome":
            version = event["products"][0]["version"]
        elif event["type"] == "stock":
            version = max(version, event["version"])
    return version


async def test_a_killed_subscriber_leaves_everybody_with_the_right_state(
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
                await viewer.until("welcome")
        house.version += 1
        await publish_stock(two, house)
        for viewer in viewers:
            await viewer.until_member("stock", "version", house.version)
            assert picture(viewer) == house.version
            assert heard(viewer) == {"round 0", "round 1", "round 2"}


async def publish_stock(node: Node, house: House) -> None:
    """Tell the stock as it is now."""
    event: Event = {"type": "stock", "product": "tulip", "free": 5, "version": house.version}
    await node.chat.publish("spring", event)


def heard(viewer: Viewer) -> set[str]:
    """Everything said that a viewer knows, by event or by snapshot."""
    told = [e for e in viewer.seen if e["type"] == "said"]
    for event in viewer.seen:
        told.extend(event.get("talk", []))
    return {said["text"] for said in told}


async def test_a_snapshot_and_what_waited_behind_it_tell_nothing_said_twice(
    redis_url: str,
) -> None:
    house = House()
    async with open_node(redis_url, house) as node, watching(node, "bom") as bom:
        house.looked_at.clear()
        house.open.clear()
        await bom.send({"type": "sync"})
        await house.looked_at.wait()
        saying = Packed(Lane.TALK, pack({"type": "said", "id": "s1", "text": "held"}))
        await node.chat.hub.bus.say("spring", saying)
        await node.chat.publish("spring", {"type": "pin", "product": "tulip"})
        house.open.set()
        await bom.until("pin")
        kinds = [event["type"] for event in bom.seen[1:] if event["type"] != "present"]
        assert kinds == ["welcome", "pin"]


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
            assert (await bom.until("said"))["text"] == "after"
    finally:
        await store.stop()
