"""What waits for the archive, in a real Valkey."""

import pytest
from redis.asyncio import Redis

from chat.adapters import redis_keys, redis_unarchived
from chat.adapters.redis_bus import RedisBus
from chat.adapters.redis_client import open_client
from chat.adapters.redis_unarchived import RedisUnarchived
from chat.core.archive import Share
from chat.core.budget import Part
from chat.core.frames import Event, Lane, pack
from chat.core.pending import ORPHAN_AFTER_S
from chat.errors import UnavailableError
from chat.ports import Orphan, Taken, TooSoon, Verdict

NOW = 1_800_000_000_000
SPRING = Share(["spring"], 500)


async def say(bus: RedisBus, number: int, show: str = "spring") -> Verdict | TooSoon:
    """Say something; the seller does, for whom there is room."""
    person = {"id": "id-dal", "name": "달", "seller": True}
    said = {"type": "said", "id": f"s{number}", "from": person, "text": "꽃", "at_ms": NOW + number}
    return await bus.say(show, Event(Lane.TALK, pack(said)), f"dal:{number}", Part.MODERATORS)


def ids(taken: Taken | None) -> list[str]:
    """What was taken."""
    assert taken is not None
    assert len(taken.entries) == len(taken.sayings)
    return [saying.id for saying in taken.sayings]


async def test_what_is_said_waits_until_it_is_archived(bus: RedisBus, client: Redis) -> None:
    assert await say(bus, 1) is Verdict.SHOWN
    assert await say(bus, 1) is Verdict.AGAIN
    await say(bus, 2)
    await say(bus, 3, "autumn")
    one = RedisUnarchived(client, "one")
    first, other, nothing = await one.take(Share(["spring", "autumn", "winter"], 1))
    assert (ids(first), ids(other), ids(nothing)) == (["s1"], ["s3"], [])
    assert first is not None
    assert (first.left, first.lost) == (1, 0)
    assert ids((await one.take(SPRING))[0]) == ["s1", "s2"]
    await one.archived([first])
    assert ids((await one.take(SPRING))[0]) == ["s2"]


async def test_one_node_at_a_time_takes_until_it_is_gone(bus: RedisBus, client: Redis) -> None:
    await say(bus, 1)
    one, two = RedisUnarchived(client, "one"), RedisUnarchived(client, "two")
    assert ids((await one.take(SPRING))[0]) == ["s1"]
    assert await two.take(SPRING) == [None]
    lease = await client.pttl(redis_keys.archivist("spring"))
    assert 0 < lease <= redis_unarchived.LEASE_MS
    await client.delete(redis_keys.archivist("spring"))
    assert ids((await two.take(SPRING))[0]) == ["s1"]
    assert await one.take(SPRING) == [None]


async def test_only_so_many_wait_and_who_is_dropped_is_counted_once(
    bus: RedisBus, client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.adapters.redis_bus.WAITING_SAYINGS", 5)
    for number in range(8):
        await say(bus, number)
    one = RedisUnarchived(client, "one")
    (taken,) = await one.take(SPRING)
    assert ids(taken) == ["s3", "s4", "s5", "s6", "s7"]
    assert taken is not None
    assert taken.lost == 3
    (again,) = await one.take(SPRING)
    assert again is not None
    assert again.lost == 0


async def test_what_cannot_be_read_is_lost_and_holds_nobody_up(
    bus: RedisBus, client: Redis
) -> None:
    await client.xadd(redis_keys.unarchived("spring"), {"said": b"\xc1", "shadowed": b"0"})
    await client.xadd(redis_keys.unarchived("spring"), {"else": b""})
    await say(bus, 1)
    one = RedisUnarchived(client, "one")
    (taken,) = await one.take(SPRING)
    assert taken is not None
    assert [saying.id for saying in taken.sayings] == ["s1"]
    assert (len(taken.entries), taken.lost) == (3, 2)
    await one.archived([taken])
    assert await client.xlen(redis_keys.unarchived("spring")) == 0


async def test_a_show_of_which_nobody_speaks_any_more_is_an_orphan(
    bus: RedisBus, client: Redis
) -> None:
    await say(bus, 1)
    one = RedisUnarchived(client, "one")
    assert await one.orphans() == []
    await client.zincrby(redis_keys.TO_ARCHIVE, -ORPHAN_AFTER_S, "spring")
    (orphan,) = await one.orphans()
    assert orphan.show == "spring"
    await one.delist([Orphan("spring", "1")])
    assert await one.orphans() == [orphan]
    await one.delist([orphan])
    assert await one.orphans() == []


async def test_one_that_is_spoken_of_again_stays_enlisted(bus: RedisBus, client: Redis) -> None:
    await say(bus, 1)
    await client.zincrby(redis_keys.TO_ARCHIVE, -ORPHAN_AFTER_S, "spring")
    one = RedisUnarchived(client, "one")
    orphans = await one.orphans()
    bus.pending.enlisted("spring", -60.0)
    await say(bus, 2)
    await one.delist(orphans)
    assert await client.zscore(redis_keys.TO_ARCHIVE, "spring") is not None


async def test_without_a_store_it_is_said_so() -> None:
    client = open_client("redis://127.0.0.1:1")
    nowhere = RedisUnarchived(client, "one")
    for ask in (nowhere.take(SPRING), nowhere.orphans(), nowhere.delist([Orphan("a", "1")])):
        with pytest.raises(UnavailableError):
            await ask
    await client.aclose()
