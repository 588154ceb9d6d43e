"""A node is killed, and everybody in its room comes to the other one at once."""

import asyncio
import os
import random
import signal
import time
from bisect import bisect_left
from contextlib import AsyncExitStack
from typing import Final

from chat.core.log import Position
from live.server.settings import Settings
from tests.bench.audience import passed
from tests.bench.fanout import SETTLE_S, Load, Shop, other_node
from tests.bench.machine import percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.room import FIRST_S, Audience, Guest, enter, join
from tests.bench.server import make_show, running

HANDSHAKES_PER_S: Final = Settings().handshakes_per_s
BACK_S: Final = 60.0


async def run(load: Load) -> None:
    """Measure and print."""
    introduce(
        "storm",
        f"{load.connections} websockets of a node that is killed come to another one with full "
        f"jitter and say what they know, while a shop sells; ms until the last is recovered, at "
        f"most {HANDSHAKES_PER_S} handshakes/s. The floor: all of them at that rate",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        survivor = await closing.enter_async_context(running(server_core))
        show, _ = await make_show(survivor.http)
        bus = await closing.enter_async_context(other_node(survivor.redis_url))
        shop = Shop(bus, show, load)
        away, back = Audience(), Audience()
        async with running(server_core, survivor) as doomed, asyncio.TaskGroup() as tasks:
            away.watch()
            closing.callback(away.leave)
            await join(str(doomed.http.base_url), show, [None] * load.connections, away)
            tasks.create_task(shop.run())
            await passed(SETTLE_S)
            place = (await bus.tail(show, Position("", 0))).end
            back.watch()
            closing.callback(back.leave)
            os.kill(doomed.pid, signal.SIGKILL)
            began_ns = time.monotonic_ns()
            await passed(0.1)  # what was on its way to them has come
            url, known = str(survivor.http.base_url), [*away.guests.values()]
            handshakes = await _all_back(url, show, place.epoch, known, back)
            await passed(SETTLE_S)
            shop.over = True
        await passed(SETTLE_S)
        guests = [*back.guests.values()]
    waits_ms = [(guest.welcomed_ns - began_ns) / 1e6 for guest in guests]
    busiest = max(bisect_left(handshakes, at + 1) - n for n, at in enumerate(handshakes))
    Report(
        *("storm", max(waits_ms), "ms from the kill until the last is back"),
        1e3 * load.connections / HANDSHAKES_PER_S,
        {
            "connections": load.connections,
            "p50_ms": percentile(waits_ms, 0.5),
            "most_handshakes_in_1_s": busiest,
            "not_recovered": sum(not guest.recovered for guest in guests),
            "shop_events_lost": sum(g.lost + shop.number - g.shop for g in guests),
            "connections_lost": sum(bool(guest.closed) for guest in guests),
        },
        is_cost=True,
    ).print()


async def _all_back(
    url: str, show: str, epoch: str, known: list[Guest], back: Audience
) -> list[float]:
    """Everybody comes; when each shook hands, in order."""
    handshakes: list[float] = []

    async def come(index: int, guest: Guest) -> None:
        await passed(random.uniform(0, FIRST_S))
        since = {"epoch": epoch, "offset": guest.offset}
        connection = await enter(url, show, None, index, since=since)
        handshakes.append(time.monotonic())
        back.add(connection).shop = guest.shop

    async with asyncio.timeout(BACK_S), asyncio.TaskGroup() as coming:
        for index, guest in enumerate(known):
            coming.create_task(come(index, guest))
    return sorted(handshakes)
