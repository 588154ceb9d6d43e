"""How many packets one core forwards: a publisher of 2.4 Mbit/s, many real DTLS-SRTP viewers."""

import asyncio
import os
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from tests.bench import floor
from tests.bench.audience import Heartbeat, certificate, in_turns, join, passed
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.peers import Viewer
from tests.bench.publisher import Publisher
from tests.bench.report import Report, introduce
from tests.bench.sampler import Sampler
from tests.bench.server import make_show, running

SETTLE_S: Final = 2.0
"""Between the last join and the window: everybody has caught up with the present."""
FLOOR_S: Final = 2.0
FLOOR_BATCHES: Final = 500


async def run(viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "relay",
        f"{viewers} DTLS-SRTP viewers of 2.4 Mbit/s H.264 and Opus for {seconds:g} s, with RTCP "
        "and consent checks, over loopback; the server on one core, the load on another. The "
        "floor: a bare protect + UDP_SEGMENT loop sending the same batches to as many sockets",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        show, key = await make_show(server.http)
        shown = certificate()
        publisher = Publisher(shown)
        await publisher.connect(server.http, f"/whip/{show}", key)
        closing.push_async_callback(publisher.leave)
        publisher.begin()
        sampler = Sampler(shown)
        audience: list[Viewer] = [sampler, *(Viewer(shown) for _ in range(viewers - 1))]
        await in_turns(audience, partial(join, server.http, show))
        heartbeat = Heartbeat(audience)
        closing.callback(heartbeat.stop)
        await passed(SETTLE_S)
        tracks = [track for viewer in audience for track in viewer.tracks.values()]
        for track in tracks:
            track.clear()
        sampler.clear()
        cpu = cpu_seconds(server.pid)
        began = asyncio.get_running_loop().time()
        await passed(seconds)
        cpu = cpu_seconds(server.pid) - cpu
        elapsed = asyncio.get_running_loop().time() - began
        packets = sum(track.count for track in tracks)
        lost = sum(track.lost for track in tracks)
        batches, ages_ms = sampler.batches, sampler.ages_ms
    figure = packets / cpu
    bare = await floor.relay(server_core, batches[:FLOOR_BATCHES], viewers, FLOOR_S)
    Report(
        *("relay", figure, "forwarded packets per core-second", bare),
        {
            "viewers": viewers,
            "packets_per_s": packets / elapsed,
            "us_per_packet": 1e6 / figure,
            "floor_us_per_packet": 1e6 / bare,
            "core_share": cpu / elapsed,
            "packets_per_batch": sum(map(len, batches)) / len(batches),
            "lost": lost,
            "p50_ms": percentile(ages_ms, 0.5),
            "p99_ms": percentile(ages_ms, 0.99),
        },
    ).print()
