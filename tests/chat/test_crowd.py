"""A crowd's ticks and welcomes beside each other, on a real bus and towards sockets of the test."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis

from chat.adapters.redis_bus import RedisBus, open_bus
from chat.connection import Connection
from chat.core.addressee import EVERYBODY
from chat.core.closes import Close
from chat.core.frames import Event, Format, Lane, pack
from chat.core.moderation import Appointed
from chat.core.rate_limit import TALK, TalkBucket
from chat.core.room import Rank, member
from chat.crowd import Crowd
from chat.ports import Customers
from tests.chat.house import PATIENCE_S, House

VIEWERS = 60


class Wire:
    """A socket that remembers the events that were written."""

    def __init__(self) -> None:
        self.lags = False
        self.told: list[dict[str, Any]] = []
        self.written = asyncio.Event()

    def write(self, frame: bytes) -> None:
        """Remember them."""
        unmasked = {126: 4, 127: 10}.get(frame[1], 2)
        self.told.extend(msgpack.unpackb(frame[unmasked:]))
        self.written.set()

    def takes_deflated(self) -> bool:
        """No."""
        return False

    def backlog(self) -> int:
        """None."""
        return 0

    def close(self, code: Close) -> None:
        """Nobody closes it here."""
        raise AssertionError(code)

    async def hears(self, kind: str, count: int = 1) -> None:
        """Until so many events of a kind have come."""
        async with asyncio.timeout(PATIENCE_S):
            while sum(event["type"] == kind for event in self.told) < count:
                self.written.clear()
                await self.written.wait()


def said(number: int) -> Event:
    """A saying."""
    return Event(Lane.TALK, pack({"type": "said", "id": f"{number}", "text": "꽃", "at_ms": 1}))


@asynccontextmanager
async def crowd_of(
    redis_url: str, house: House, viewers: Sequence[Connection]
) -> AsyncIterator[tuple[Crowd, RedisBus]]:
    """A crowd that runs, which these are in, not welcomed yet."""
    async with Redis.from_url(redis_url) as client, open_bus(redis_url, client) as bus:
        crowd = Crowd("spring", bus, house.describe, Customers(house.buys, house.buys))
        for viewer in viewers:
            crowd.add(viewer)
        running = asyncio.create_task(crowd.run())
        await crowd.opened.wait()
        yield crowd, bus
        for viewer in viewers:
            crowd.remove(viewer)
        await running


def viewer_on(wire: Wire, account: str | None = None, rank: Rank = Rank.VIEWER) -> Connection:
    """A connection, of somebody who came in as this."""
    who = None if account is None else (account, account)
    return Connection(wire, Format.MSGPACK, member(who, rank, TalkBucket(TALK)))


async def test_who_is_welcomed_while_a_tick_is_told_is_not_told_it_twice(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.crowd.WRITES_AT_ONCE", 1)
    wires = [Wire() for _ in range(VIEWERS)]
    viewers = [viewer_on(wire) for wire in wires]
    async with crowd_of(redis_url, House(), viewers) as (crowd, _):
        for viewer in viewers:
            await crowd.welcome(viewer)
        crowd.received("", said(1))
        crowd.received("", Event(Lane.HEARTS, (7).to_bytes(4)))
        await wires[0].hears("said")
        assert len(wires[-1].told) == 1, "the tick was over too soon"
        await crowd.welcome(viewers[-1])
        crowd.received("", said(2))
        for wire in wires[:-1]:
            await wire.hears("said", 2)
        await wires[-1].hears("said")
    welcome, *rest = wires[-1].told[1:]
    assert (welcome["type"], welcome["hearts"], len(welcome["talk"])) == ("welcome", 7, 1)
    assert [(event["type"], event.get("id")) for event in rest] == [("said", "2")]


async def test_a_rank_is_that_of_the_welcome_whatever_it_was_on_coming_in(redis_url: str) -> None:
    dismissed, appointed = (
        viewer_on(Wire(), "id-bom", Rank.MODERATOR),
        viewer_on(Wire(), "id-haru", Rank.VIEWER),
    )
    async with crowd_of(redis_url, House(), (dismissed, appointed)) as (crowd, _):
        await crowd.welcome(dismissed)
        await crowd.welcome(appointed)
        assert dismissed.member.rank is Rank.VIEWER
        assert appointed.member.rank is Rank.MODERATOR


async def test_who_is_appointed_while_a_look_goes_on_stays_so(redis_url: str) -> None:
    house, watcher, bom = House(), Wire(), viewer_on(Wire(), "id-bom")
    witness = viewer_on(watcher)
    async with crowd_of(redis_url, house, (bom, witness)) as (crowd, bus):
        await crowd.welcome(witness)
        house.looked_at.clear()
        house.open.clear()
        welcoming = asyncio.create_task(crowd.welcome(bom))
        await house.looked_at.wait()
        await bus.publish("spring", pack(Appointed("id-bom", True)), EVERYBODY, None)
        await watcher.hears("moderator")
        house.open.set()
        assert await welcoming
        assert bom.member.rank is Rank.MODERATOR
