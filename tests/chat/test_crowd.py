"""A crowd's ticks and welcomes beside each other, on a real bus and towards sockets of the test."""

import asyncio
from typing import Any

import msgpack
import pytest
from redis.asyncio import Redis

from chat.adapters.redis_bus import open_bus
from chat.connection import Connection
from chat.core.closes import Close
from chat.core.frames import Event, Format, Lane, pack
from chat.core.rate_limit import TALK, TalkBucket
from chat.core.room import Rank, member
from chat.crowd import Crowd
from chat.ports import Customers
from tests.chat.house import PATIENCE_S, House

VIEWERS = 60


class Wire:
    """A socket that remembers the events that were written."""

    def __init__(self) -> None:
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


async def test_who_is_welcomed_while_a_tick_is_told_is_not_told_it_twice(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.crowd.WRITES_AT_ONCE", 1)
    house = House()
    async with Redis.from_url(redis_url) as client, open_bus(redis_url, client) as bus:
        crowd = Crowd("spring", bus, house.describe, Customers(house.buys, house.buys))
        wires = [Wire() for _ in range(VIEWERS)]
        viewers = [
            Connection(wire, Format.MSGPACK, member(None, Rank.VIEWER, TalkBucket(TALK)))
            for wire in wires
        ]
        for viewer in viewers:
            crowd.add(viewer)
        running = asyncio.create_task(crowd.run())
        await crowd.opened.wait()
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
        for viewer in viewers:
            crowd.remove(viewer)
        await running
    welcome, *rest = wires[-1].told[1:]
    assert (welcome["type"], welcome["hearts"], len(welcome["talk"])) == ("welcome", 7, 1)
    assert [(event["type"], event.get("id")) for event in rest] == [("said", "2")]
