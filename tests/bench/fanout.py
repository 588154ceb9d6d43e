"""What one core tells a room: many light viewers, people who talk, a shop that sells."""

import asyncio
import itertools
import math
import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from chat.adapters.redis_bus import RedisBus, open_bus
from chat.adapters.redis_client import open_client
from chat.core.frames import pack
from live.accounts.adapters.tokens import JwtTokens
from live.accounts.core.claims import Person
from tests.bench import floor
from tests.bench.audience import passed
from tests.bench.machine import (
    cpu_seconds,
    percentile,
    pin,
    resident_bytes,
    two_cores,
    waited_seconds,
)
from tests.bench.report import Report, introduce
from tests.bench.room import Audience, Frame, command, enter, join, left_unread
from tests.bench.server import Server, make_show, running

SAID_BY_ONE_PER_S: Final = 0.8
"""Below the rate a person may talk at (`chat.core.rate_limit.TALK`)."""
SHOP_PER_S: Final = 20
SETTLE_S: Final = 2.0
LOOK_S: Final = 0.1
TEXT: Final = "꽃이 정말 예뻐요, 포장도 마음에 들어요"
QUESTION: Final = "꽃이 정말 예뻐요, 언제 배송되나요?"
QUESTION_EVERY: Final = 100
"""Of so many sayings one is a question to the shop's assistant."""


@dataclass(frozen=True, slots=True)
class Load:
    """`slow`: how many do not read. `shop_bytes`: the size of a shop event.

    `deflate`: whether the viewers take deflated frames.
    """

    connections: int
    messages_per_s: int
    seconds: float
    slow: int
    shop_bytes: int
    deflate: bool = False


async def run(load: Load) -> None:
    """Measure and print."""
    introduce(
        "fanout",
        f"{load.connections} websockets in one room told {load.messages_per_s} messages/s said by "
        f"signed-in viewers and {SHOP_PER_S} shop events/s of another node, {load.seconds:g} s, "
        f"over loopback; {load.slow} more that do not read; the server on one core, the load and "
        "the stores on another. The floor: a bare send loop of the same frames to as many sockets",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        measured = await _measure(closing, server, load)
    raw = [frame.raw for frame in measured.frames]
    bare = await floor.fanout(server_core, raw, load.connections, measured.tick_s)
    measured.report(load, bare).print()


@dataclass(frozen=True, slots=True)
class Measured:
    """What the window showed: `frames` that most were told; ms from saying or publishing to the
    last viewer; `waited_s` how long the server stood by while others had its core; `grown_bytes`
    the most the server's memory was above that of the room before anybody spoke or was slow.
    """

    frames: Sequence[Frame]
    deliveries: int
    messages: int
    cpu_s: float
    waited_s: float
    elapsed_s: float
    bytes_per_connection: float
    said_ms: list[float]
    shop_ms: list[float]
    lost: int
    gone: int
    kept: list[int]
    closed: int
    grown_bytes: int

    @property
    def tick_s(self) -> float:
        """From one frame to the next."""
        return self.elapsed_s / len(self.frames)

    def report(self, load: Load, bare: float) -> Report:
        """The figures, the floor's beside."""
        figure = self.deliveries / self.cpu_s
        raw = [frame.raw for frame in self.frames]
        slow = {
            "slow_closed": self.closed,
            "slow_left_unread_bytes": max(self.kept, default=0),
            "grown_bytes": self.grown_bytes,
            "grown_bytes_per_slow": self.grown_bytes / max(1, load.slow),
        }
        return Report(
            *("fanout", figure, "frames delivered per core-second", bare),
            {
                "connections": load.connections,
                "messages_per_s": load.messages_per_s,
                "us_per_delivery": 1e6 / figure,
                "floor_us_per_delivery": 1e6 / bare,
                "message_deliveries_per_core_s": self.messages / self.cpu_s,
                "shown_per_s": self.messages / load.connections / self.elapsed_s,
                "core_share": self.cpu_s / self.elapsed_s,
                "core_wanted_in_vain": self.waited_s / self.elapsed_s,
                "tick_ms": 1e3 * self.tick_s,
                "bytes_per_frame": sum(map(len, raw)) / len(raw),
                "p50_ms": percentile(self.said_ms, 0.5),
                "p99_ms": percentile(self.said_ms, 0.99),
                "shop_p50_ms": percentile(self.shop_ms, 0.5),
                "shop_p99_ms": percentile(self.shop_ms, 0.99),
                "bytes_per_connection": self.bytes_per_connection,
                "shop_events_lost": self.lost,
                "connections_lost": self.gone,
                **(slow if load.slow else {}),
            },
        )


async def _measure(closing: AsyncExitStack, server: Server, load: Load) -> Measured:
    show, _ = await make_show(server.http)
    url = str(server.http.base_url)
    audience = Audience()
    audience.watch()
    closing.callback(audience.leave)
    speakers = min(load.connections, math.ceil(load.messages_per_s / SAID_BY_ONE_PER_S))
    tokens = [token_of(server.secret, number) for number in range(speakers)]
    await join(url, show, tokens[:1], audience, deflate=load.deflate)
    empty = resident_bytes(server.pid)
    others = tokens[1:] + [None] * (load.connections - speakers)
    await join(url, show, others, audience, deflate=load.deflate)
    await passed(SETTLE_S)
    full = resident_bytes(server.pid)
    slow = [await enter(url, show, None, slow=True) for _ in range(load.slow)]
    bus = await closing.enter_async_context(other_node(server.redis_url))
    talk, memory = Talk(audience, speakers, load), Memory(server.pid)
    shop = Shop(bus, show, load)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk.run())
        tasks.create_task(shop.run())
        tasks.create_task(memory.run())
        await passed(SETTLE_S)
        audience.clear()
        waited, cpu, began = waited_seconds(server.pid), cpu_seconds(server.pid), time.monotonic()
        await passed(load.seconds)
        cpu, elapsed = cpu_seconds(server.pid) - cpu, time.monotonic() - began
        waited = waited_seconds(server.pid) - waited
        guests = [*audience.guests.values()]
        deliveries, messages = sum(g.frames for g in guests), sum(g.said for g in guests)
        frames = [frame for frame in audience.frames.values() if frame.told]
        talk.over = shop.over = memory.over = True
    await passed(SETTLE_S)
    unread = [left_unread(connection) for connection in slow]
    lost = sum(g.lost + shop.number - g.shop for g in guests)
    return Measured(
        [frame for frame in frames if 2 * frame.seen > len(guests)],
        deliveries,
        messages,
        cpu,
        waited,
        elapsed,
        (full - empty) / max(1, load.connections - 1),
        waits_ms(talk.sent_ns, ((frame, frame.said) for frame in frames)),
        waits_ms(shop.sent_ns, ((frame, frame.shop) for frame in frames)),
        lost,
        sum(bool(g.closed) for g in guests),
        [count for count, _ in unread],
        sum(closed for _, closed in unread),
        memory.highest - full,
    )


def waits_ms(sent_ns: dict[int, int], frames: Iterator[tuple[Frame, list[int]]]) -> list[float]:
    """From the sending of each number to the last viewer who was told it, in ms."""
    last: dict[int, int] = {}
    for frame, numbers in frames:
        for number in numbers:
            last[number] = max(last.get(number, 0), frame.last_ns)
    return [(at - sent_ns[number]) / 1e6 for number, at in last.items() if number in sent_ns]


def token_of(secret: str, number: int) -> str:
    """Vouches for one of many people who never signed up."""
    person = Person(f"bench-{number}", f"꽃{number}")
    return JwtTokens(secret).issue(person, int(time.time()))


@asynccontextmanager
async def other_node(redis_url: str) -> AsyncIterator[RedisBus]:
    """A node that only publishes."""
    client = open_client(redis_url)
    try:
        async with open_bus(redis_url, client) as bus:
            yield bus
    finally:
        await client.aclose()


class Talk:
    """The first of the audience say something in turn."""

    over = False

    def __init__(self, audience: Audience, speakers: int, load: Load) -> None:
        self.sent_ns: dict[int, int] = {}
        self._sockets = [guest.socket for guest in [*audience.guests.values()][:speakers]]
        self._pace_s = 1 / load.messages_per_s if load.messages_per_s else 0.0

    async def run(self) -> None:
        """Talk until it is over."""
        if not self._pace_s:
            return
        async for number in beats(self._pace_s):
            if self.over:
                return
            self.sent_ns[number] = time.monotonic_ns()
            speaker = self._sockets[number % len(self._sockets)]
            text = TEXT if number % QUESTION_EVERY else QUESTION
            speaker.send(command(type="say", id=str(number), text=f"{number} {text}"))


class Shop:
    """Publishes events as another node would; `number` is our own number of the last one."""

    over = False

    def __init__(self, bus: RedisBus, show: str, load: Load) -> None:
        self.sent_ns: dict[int, int] = {}
        self.number = 0
        self._bus = bus
        self._show = show
        self._pad = "x" * load.shop_bytes

    async def run(self) -> None:
        """Publish until it is over."""
        async for _ in beats(1 / SHOP_PER_S):
            if self.over:
                return
            self.number += 1
            self.sent_ns[self.number] = time.monotonic_ns()
            event = pack({"type": "bench", "number": self.number, "pad": self._pad})
            await self._bus.publish(self._show, event, "", None)


async def beats(pace_s: float) -> AsyncIterator[int]:
    """Numbers, one every `pace_s` since the beginning, late ones at once."""
    began = time.monotonic()
    for number in itertools.count():
        if (early := began + number * pace_s - time.monotonic()) > 0:
            await passed(early)
        yield number


class Memory:
    """The most memory the server had."""

    over = False

    def __init__(self, pid: int) -> None:
        self.highest = 0
        self._pid = pid

    async def run(self) -> None:
        """Look until it is over."""
        while not self.over:
            self.highest = max(self.highest, resident_bytes(self._pid))
            await passed(LOOK_S)
