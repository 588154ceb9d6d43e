"""The bus and presence against a real Valkey."""

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.adapters.redis_bus import TALK_KEPT, RedisBus, open_bus
from chat.adapters.redis_presence import RedisPresence
from chat.adapters.redis_publisher import Publisher
from chat.core.budget import IN_TICK, Part
from chat.core.frames import Event, Lane, pack, unpack
from chat.core.log import LOG_EVENTS, NOWHERE, Position, Tail
from chat.core.moderation import SLOW_MAX_S
from chat.core.presence import FRESH_MS, Attendance, Count
from chat.errors import UnavailableError
from chat.ports import Beat, Pace, TooSoon, Verdict

Told = tuple[str, Event] | str


class Ear:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Told] = asyncio.Queue()

    def received(self, epoch: str, event: Event) -> None:
        """Remember it."""
        self.heard.put_nowait((epoch, event))

    def restored(self) -> None:
        """Remember that, too."""
        self.heard.put_nowait("restored")

    async def next(self) -> Told:
        """What was heard next."""
        async with asyncio.timeout(10):
            return await self.heard.get()

    async def event(self) -> Event:
        """The event that was heard next."""
        told = await self.next()
        assert isinstance(told, tuple)
        return told[1]


async def publish(bus: RedisBus, n: int, show: str = "spring", key: str | None = None) -> None:
    """Publish one small event for everybody."""
    await bus.publish(show, pack({"n": n}), "", key)


async def test_concurrent_publishing_keeps_its_order_and_is_numbered(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    async with asyncio.TaskGroup() as tasks:
        for n in range(1000):
            tasks.create_task(publish(bus, n))
    heard = [await ear.event() for _ in range(1000)]
    assert [unpack(event.packed) for event in heard] == [
        {"n": n, "offset": n + 1} for n in range(1000)
    ]
    tail = await bus.tail("spring", NOWHERE)
    assert tail.end.offset == 1000
    assert tail.events == heard[-len(tail.events) :]
    assert len(tail.events) >= LOG_EVENTS
    place = Position(tail.end.epoch, 997)
    assert await bus.tail("spring", place) == Tail(tail.end, heard[997:])


async def test_who_an_event_is_for_comes_along(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    await bus.publish("spring", pack({"n": 1}), "@꽃", None)
    event = await ear.event()
    assert (event.to, event.offset) == ("@꽃", 1)
    assert (await bus.tail("spring", NOWHERE)).events == [event]


async def test_erasing_spares_events_in_which_nobody_says_anything(bus: RedisBus) -> None:
    told: list[dict[str, Any]] = [
        {"type": "order", "order": {"buyer": "id-bom"}},
        {"type": "deleted", "id": "saying"},
        {"type": "reported", "text": "by id-bom: type order"},
        {"type": "question", "id": "saying", "text": "type\u0085order"},
        {"type": "stock"},
    ]
    for event in told:
        await bus.publish("spring", pack(event), "", None)
    await bus.forget("spring", "id-bom", ["saying"])
    kept = [unpack(event.packed)["type"] for event in (await bus.tail("spring", NOWHERE)).events]
    assert kept == ["order", "deleted", "stock"]


async def test_what_has_a_key_is_published_once(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    for n, key in enumerate(["k", "k", None, None, "l"]):
        await publish(bus, n, key=key)
    assert [unpack((await ear.event()).packed)["n"] for _ in range(4)] == [0, 2, 3, 4]
    assert (await bus.tail("spring", NOWHERE)).end.offset == 4


@pytest.mark.parametrize("how", ["forgotten", "restarted"])
async def test_a_store_that_may_have_lost_something_begins_a_new_epoch(
    bus: RedisBus, client: Redis, how: str
) -> None:
    await publish(bus, 1)
    before = (await bus.tail("spring", NOWHERE)).end
    if how == "forgotten":
        await client.delete(redis_keys.sequence("spring"))
    else:
        await client.hset(redis_keys.sequence("spring"), "run", "another")
    tail = await bus.tail("spring", before)
    assert tail.end.epoch != before.epoch
    assert (tail.end.offset, tail.events) == (0, [])
    await publish(bus, 2)
    assert (await bus.tail("spring", before)).end == Position(tail.end.epoch, 1)


def saying(n: int) -> Event:
    """Something said."""
    return Event(Lane.TALK, pack({"n": n}))


async def test_what_is_said_is_told_and_remembered_but_not_for_ever(
    bus: RedisBus, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.adapters.redis_bus.IN_TICK", dict.fromkeys(Part, 10_000))
    ear = Ear()
    await bus.subscribe("spring", ear)
    for n in range(2 * TALK_KEPT):
        await bus.say("spring", saying(n), f"{n}", Part.MODERATORS)
    for n in range(2 * TALK_KEPT):
        assert await ear.event() == saying(n)
    past = await bus.past("spring")
    assert [said["n"] for said in past.talk] == [*range(2 * TALK_KEPT - 50, 2 * TALK_KEPT)]
    kept = await client.xlen(redis_keys.talk("spring"))
    assert TALK_KEPT <= kept < 2 * TALK_KEPT
    assert await client.ttl(redis_keys.talk("spring")) > 0


async def test_each_saying_is_forgotten_at_its_time_however_slowly_the_room_talks(
    redis_url: str, client: Redis
) -> None:
    talk = redis_keys.talk("spring")
    seconds, _ = await client.time()
    async with open_bus(redis_url, client, 60) as bus:
        for ago_s in (90, 30):
            await client.xadd(talk, {"said": b""}, f"{(seconds - ago_s) * 1_000}-0")
        said = Event(Lane.TALK, pack({"type": "said", "id": "s"}))
        await bus.say("spring", said, "s", Part.EVERYBODY)
    kept: Any = await client.xrange(talk)
    assert [int(entry.partition(b"-")[0]) >= (seconds - 30) * 1_000 for entry, _ in kept] == [
        True,
        True,
    ]


async def test_what_is_said_again_with_the_same_key_is_told_once(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    again = [
        await bus.say("spring", saying(n), key, Part.EVERYBODY)
        for n, key in enumerate(["bom:1", "bom:1", "dal:1"])
    ]
    assert again == [Verdict.SHOWN, Verdict.AGAIN, Verdict.SHOWN]
    assert [await ear.event() for _ in range(2)] == [saying(0), saying(2)]


ONE_TICK = 3_600_000_000
"""So long that all of a test is said in one tick."""


async def spoken(bus: RedisBus, parts: str, show: str = "spring") -> str:
    """What of these is shown: e is said by everybody, b by buyers, m by moderators."""
    letters = {part.name[0].lower(): part for part in Part}
    shown = ""
    for n, letter in enumerate(parts):
        verdict = await bus.say(show, saying(n), f"{n}", letters[letter])
        shown += letter if verdict is Verdict.SHOWN else "-"
    return shown


async def test_too_much_in_a_tick_is_thinned_and_nobody_pushes_out_who_may_say_more(
    bus: RedisBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.adapters.redis_bus.TICK_US", ONE_TICK)
    parts = {Part.EVERYBODY: 2, Part.BUYERS: 3, Part.MODERATORS: 5}
    monkeypatch.setattr("chat.adapters.redis_bus.IN_TICK", parts)
    for show, (said, shown) in {
        "crowd": ("eeebbmmm", "ee-b-mm-"),
        "buyers": ("bbbbemmm", "bbb--mm-"),
        "moderators": ("mmmmmmbe", "mmmmm---"),
        "mixed": ("mebemb", "mebem-"),
    }.items():
        assert await spoken(bus, said, show) == shown
    assert await bus.say("crowd", saying(2), "2", Part.EVERYBODY) is Verdict.THINNED
    assert [said["n"] for said in (await bus.past("crowd")).talk] == [0, 1, 3, 5, 6]


async def test_in_slow_mode_what_was_shown_counts_and_nothing_else(
    bus: RedisBus, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.adapters.redis_bus.TICK_US", ONE_TICK)
    monkeypatch.setattr("chat.adapters.redis_bus.IN_TICK", IN_TICK | {Part.EVERYBODY: 2})

    async def say(n: int, person: str = "bom", slow_s: int = 60) -> Verdict | TooSoon:
        pace = Pace(person, slow_s)
        return await bus.say("spring", saying(n), f"{n}", Part.EVERYBODY, pace)

    assert await say(1, slow_s=0) is Verdict.SHOWN
    assert isinstance(await say(2), TooSoon)
    assert await say(2, slow_s=0) is Verdict.SHOWN
    assert await say(2) is Verdict.AGAIN
    seconds, _ = await client.time()
    soon = await say(3)
    assert isinstance(soon, TooSoon)
    assert await say(3) == soon
    assert 58_000 < soon.until_ms - seconds * 1_000 <= 61_000
    assert await bus.too_soon("spring", "3", Pace("bom", 60)) == soon
    assert await bus.too_soon("spring", "2", Pace("bom", 60)) is None
    assert await bus.too_soon("spring", "3", Pace("bom", 0)) is None
    assert await bus.too_soon("spring", "3", Pace("dal", 60)) is None
    sooner = await say(3, slow_s=30)
    assert isinstance(sooner, TooSoon)
    assert soon.until_ms - sooner.until_ms == 30_000
    assert [await say(4, "dal"), await say(5, "dal")] == [Verdict.THINNED] * 2
    assert await say(3, slow_s=0) is Verdict.THINNED
    assert 0 < await client.ttl(redis_keys.spoke("spring", "bom")) <= SLOW_MAX_S


async def test_what_its_author_alone_is_told_costs_the_room_nothing(
    bus: RedisBus, client: Redis
) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    own = Event(Lane.TALK, pack({"n": 1}), "@꽃")
    verdicts = [await bus.say("spring", own, "1", Part.EVERYBODY, Pace("꽃", 60)) for _ in range(2)]
    assert verdicts == [Verdict.SHOWN, Verdict.AGAIN]
    other = await bus.say("spring", own, "2", Part.EVERYBODY, Pace("꽃", 60))
    assert isinstance(other, TooSoon)
    assert await ear.event() == own
    past = await bus.past("spring")
    assert (past.talk, past.whispers) == ([], [own])
    assert not await client.exists(redis_keys.budget("spring"))
    entries: Any = await client.xrange(redis_keys.unarchived("spring"))
    ((_, waiting),) = entries
    assert waiting == {b"said": own.packed, b"shadowed": b"1"}
    assert await client.ttl(redis_keys.whispers("spring")) > 0


async def test_the_room_is_told_how_much_was_thinned(bus: RedisBus, client: Redis) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    before: dict[Any, Any] = {"second": "1", "said": "500", "shown": "200"}
    await client.hset(redis_keys.budget("spring"), mapping=before)
    await bus.say("spring", saying(1), "1", Part.EVERYBODY)
    rate = await ear.event()
    assert rate.lane is Lane.TALK
    assert unpack(rate.packed) == {"type": "thinned", "said": 500, "shown": 200}
    assert await ear.event() == saying(1)


async def test_hearts_are_told_and_added_up(bus: RedisBus) -> None:
    ear = Ear()
    await bus.subscribe("spring", ear)
    await bus.cheer("spring", 3)
    await bus.cheer("spring", 4)
    heard = [await ear.event(), await ear.event()]
    assert heard == [Event(Lane.HEARTS, count.to_bytes(4)) for count in (3, 4)]
    assert (await bus.past("spring")).hearts == 7


async def test_only_the_newest_listener_of_a_show_hears_and_may_unsubscribe(
    bus: RedisBus,
) -> None:
    old, new = Ear(), Ear()
    await bus.subscribe("spring", old)
    await bus.subscribe("spring", new)
    await bus.unsubscribe("spring", old)
    await publish(bus, 1)
    assert (await new.event()).offset == 1
    assert old.heard.empty()
    await bus.unsubscribe("spring", new)
    await bus.subscribe("spring", old)
    await publish(bus, 2)
    assert (await old.event()).offset == 2
    assert new.heard.empty()


async def test_a_lost_subscription_is_noticed(bus: RedisBus, client: Redis) -> None:
    ears = {show: Ear() for show in ("spring", "autumn")}
    for show, ear in ears.items():
        await bus.subscribe(show, ear)
    (subscriber,) = [c for c in await client.client_list() if int(c["ssub"]) == 2]
    await client.client_kill_filter(_id=subscriber["id"])
    await publish(bus, 1)
    for ear in ears.values():
        assert await ear.next() == "restored"
    await publish(bus, 2, "autumn")
    assert (await ears["autumn"].event()).offset == 1


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
    assert await one.beat({"spring": Beat(2), "autumn": Beat(1)}) == {"spring": 2, "autumn": 1}
    assert await two.beat({"spring": Beat(5)}) == {"spring": 7}
    assert (await one.attendance("spring")).viewers == 7
    seconds, _ = await client.time()
    stale = Count(100, seconds * 1000 - FRESH_MS - 1)
    await client.hset(redis_keys.present("spring"), "dead", stale.encode())
    assert (await one.attendance("spring")).viewers == 7
    assert await one.beat({"spring": Beat(2)}) == {"spring": 7}
    assert not await client.hexists(redis_keys.present("spring"), "dead")
    await two.leave(["spring"])
    assert (await one.attendance("spring")).viewers == 2
    assert await one.attendance("winter") == Attendance(0, 0, 0)


async def test_the_peak_stays_and_who_comes_twice_is_one_visitor(client: Redis) -> None:
    one, two = RedisPresence(client, "one"), RedisPresence(client, "two")
    await one.beat({"spring": Beat(2, frozenset({"ada", "ben"}))})
    await two.beat({"spring": Beat(2, frozenset({"ben", "cho"}))})
    await one.beat({"spring": Beat(1)})
    assert await two.attendance("spring") == Attendance(3, 4, 3)


async def test_visitors_are_estimated_within_a_few_percent(client: Redis) -> None:
    one = RedisPresence(client, "one")
    for thousand in range(20):
        arrived = frozenset(f"{thousand} {number}" for number in range(1_000))
        await one.beat({"spring": Beat(1, arrived)})
    assert (await one.attendance("spring")).visitors == pytest.approx(20_000, rel=0.04)
