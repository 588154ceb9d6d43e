"""A show drops a hundred units, and everybody in its room wants one within the same second."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from tests.bench.audience import Heartbeat, certificate, in_turns, passed
from tests.bench.audience import join as watch
from tests.bench.buyers import Buyers
from tests.bench.counter import count, open_stall
from tests.bench.fanout import SETTLE_S, Load, Shop, other_node, token_of, waits_ms
from tests.bench.machine import percentile, pin, two_cores
from tests.bench.peers import Viewer
from tests.bench.publisher import Publisher
from tests.bench.report import Report, introduce
from tests.bench.room import Audience, command, enter, join
from tests.bench.sampler import Sampler
from tests.bench.server import running

UNITS: Final = 100
WITHIN_S: Final = 1.0
WATCHING: Final = 10
LISTENING: Final = 20
JOINING_AT_ONCE: Final = 64
ANSWERED_WITHIN_S: Final = 60.0


async def run(load: Load) -> None:
    """Measure and print."""
    introduce(
        "rush",
        f"{load.connections} viewers ask for one of {UNITS} units within {WITHIN_S:g} s over the "
        f"room's websockets, while the show has {WATCHING} DTLS-SRTP viewers of 2.4 Mbit/s and "
        f"tells {LISTENING} more shop events; ms until the last is answered. The floor: the second "
        "in which they ask",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http, UNITS)
        url = str(server.http.base_url)
        publisher, shown = Publisher(certificate()), certificate()
        await publisher.connect(server.http, f"/whip/{stall.show}", stall.publish_key)
        closing.push_async_callback(publisher.leave)
        publisher.begin()
        sampler = Sampler(shown)
        viewers: list[Viewer] = [sampler, *(Viewer(shown) for _ in range(WATCHING - 1))]
        closing.callback(Heartbeat(viewers).stop)
        await in_turns(viewers, partial(watch, server.http, f"{stall.show}"))
        audience, buyers = Audience(), Buyers(in_room=True)
        audience.watch()
        closing.callback(audience.leave)
        await join(url, stall.show, [None] * LISTENING, audience)
        await _come(url, server.secret, stall.show, stall.products[0], load.connections, buyers)
        closing.callback(buyers.leave)
        bus = await closing.enter_async_context(other_node(server.redis_url))
        shop = Shop(bus, stall.show, load)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shop.run())
            await passed(SETTLE_S)
            audience.clear()
            sampler.clear()
            shop.sent_ns.clear()
            began = time.monotonic()
            await buyers.begin_within(WITHIN_S)
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                await buyers.done.wait()
            elapsed_ms = 1e3 * (time.monotonic() - began)
            shop.over = True
        counted = await count(server.database_url, stall.products)
        told = waits_ms(shop.sent_ns, ((frame, frame.shop) for frame in audience.frames.values()))
        ages_ms = sampler.ages_ms
    Report(
        *("rush", elapsed_ms, "ms until the last is answered", 1e3 * WITHIN_S),
        {
            "buyers": load.connections,
            "held": buyers.statuses[b"held"],
            "not_held": buyers.statuses[b"not_held"],
            "p50_ms": percentile(buyers.waits_ms, 0.5),
            "p99_ms": percentile(buyers.waits_ms, 0.99),
            "shop_p99_ms": percentile(told, 0.99),
            "relay_p99_ms": percentile(ages_ms, 0.99),
            "oversold": counted.oversold,
            "drift": counted.drift,
        },
        is_cost=True,
    ).print()


async def _come(url: str, secret: str, show: str, product: str, many: int, buyers: Buyers) -> None:
    turns = asyncio.Semaphore(JOINING_AT_ONCE)

    async def come(number: int) -> None:
        async with turns:
            connection = await enter(url, show, token_of(secret, number), number)
        buyers.add(connection, iter([command(type="hold", id="rush", lines=[{"sku": product}])]))

    buyers.watch()
    async with asyncio.TaskGroup() as coming:
        for number in range(many):
            coming.create_task(come(number))
