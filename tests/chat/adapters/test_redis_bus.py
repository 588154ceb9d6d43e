"""The bus and presence against a real Valkey."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_bus import TALK_KEPT, RedisBus, open_bus
from chat.adapters.redis_client import open_client
from chat.adapters.redis_presence import RedisPresence
from chat.adapters.redis_publisher import Publisher
from chat.core.frames import Event, Lane, hearts, pack, unpack
from chat.core.presence import FRESH_MS, Count
from chat.errors import UnavailableError

ONE = Event(Lane.SHOP, pack({"n": 1}))


class Ear:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Event | str] = asyncio.Queue()

    def received(self, event: Event) -> None:
        """Remember it."""
        self.heard.put_nowait(event)

    def restored(self) -> None:
        """Remember that, too."""
        self.heard.put_nowait("restored")

    async def next(self) -> Event | str:
        """What was heard next."""
        async with asyncio.timeout(10):
            return await self.heard.get()


@pytest_asyncio.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client as the room opens it."""
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def bus(redis_url: str, client: Redis) -> AsyncIterator[RedisBus]:
    """A running bus."""
    async with open_bus(redis_url, client) as bus:
        yield bus


async def test_concurrent_publishing_keeps_its_order(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    events = [Event(Lane.SHOP, pack({"n": n})) for n in range(1000)]
    async with asyncio.TaskGroup() as tasks:
        for event in events:
            tasks.create_task(bus.publish("spring", event))
    assert [await ear.next() for _ in events] == events


async def test_what_is_said_is_told_and_remembered_but_not_for_ever(
    bus: RedisBus, client: Redis
) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    for n in range(2 * TALK_KEPT):
        await bus.say("spring", Event(Lane.TALK, pack({"n": n})))
    for n in range(2 * TALK_KEPT):
        heard = await ear.next()
        assert isinstance(heard, Event)
        assert unpack(heard.packed) == {"n": n}
    past = await bus.past("spring")
    assert [said["n"] for said in past.talk] == [*range(2 * TALK_KEPT - 50, 2 * TALK_KEPT)]
    kept = await client.xlen(redis_keys.talk("spring"))
    assert TALK_KEPT <= kept < 2 * TALK_KEPT
    assert await client.ttl(redis_keys.talk("spring")) > 0


async def test_hearts_are_told_and_added_up(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    await bus.cheer("spring", 3)
    await bus.cheer("spring", 4)
    assert [await ear.next(), await ear.next()] == [hearts(3), hearts(4)]
    assert (await bus.past("spring")).hearts == 7


async def test_only_the_newest_listener_of_a_show_hears_and_may_unsubscribe(
    bus: RedisBus,
) -> None:
    old, new = Ear(), Ear()
    await bus.subscribe("spring", old)
    await bus.subscribe("spring", new)
    await bus.unsubscribe("spring", old)
    await bus.publish("spring", ONE)
    assert await new.next() == ONE
    assert old.heard.empty()
    await bus.unsubscribe("spring", new)
    await bus.subscribe("spring", old)
    await bus.publish("spring", ONE)
    assert await old.next() == ONE
    assert new.heard.empty()


async def test_a_lost_subscription_is_noticed(bus: RedisBus, client: Redis) -> None:
    ears = {show: Ear() for show in ("spring", "autumn")}
    for show, ear in ears.items():
        await bus.subscribe(show, ear)
    (subscriber,) = [c for c in await client.client_list() if int(c["ssub"]) == 2]
    await client.client_kill_filter(_id=subscriber["id"])
    await bus.publish("spring", ONE)
    for ear in ears.values():
        assert await ear.next() == "restored"
    await bus.publish("autumn", ONE)
    assert await ears["autumn"].next() == ONE


async def test_an_error_of_one_command_is_its_callers_alone(client: Redis) -> None:
    publisher = Publisher(client)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(publisher.run())
        good = [tasks.create_task(publisher.execute("INCR", "n")) for _ in range(3)]
        with pytest.raises(UnavailableError, match="unknown command"):
            await publisher.execute("NOSUCH", "n")
        await asyncio.wait(good)
        running.cancel()
    assert await client.get("n") == b"3"


async def test_nodes_add_up_and_silent_ones_are_gone(client: Redis) -> None:
    one, two = RedisPresence(client, "one"), RedisPresence(client, "two")
    assert await one.beat({}) == {}
    assert await one.beat({"spring": 2, "autumn": 1}) == {"spring": 2, "autumn": 1}
    assert await two.beat({"spring": 5}) == {"spring": 7}
    assert await one.total("spring") == 7
    seconds, _ = await client.time()
    stale = Count(100, seconds * 1000 - FRESH_MS - 1)
    await client.hset(redis_keys.present("spring"), "dead", stale.encode())
    assert await one.total("spring") == 7
    assert await one.beat({"spring": 2}) == {"spring": 7}
    assert not await client.hexists(redis_keys.present("spring"), "dead")
    await two.leave(["spring"])
    assert await one.total("spring") == 2
    assert await one.total("winter") == 0
