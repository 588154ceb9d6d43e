"""How fast viewers come in: WHEP joins for one core, from the POST to the first media packet."""

import os
from collections.abc import Sequence
from functools import partial
from typing import Final

import httpx

from tests.bench import floor
from tests.bench.audience import JOINING_AT_ONCE, certificate, in_turns, join
from tests.bench.machine import cpu_seconds, percentile, pin, resident_bytes, two_cores
from tests.bench.peers import Viewer
from tests.bench.publisher import Publisher
from tests.bench.report import Report, introduce
from tests.bench.server import make_show, running

ALONE: Final = 20
FLOOR_S: Final = 2.0


async def run(viewers: int, _seconds: float) -> None:
    """Measure and print."""
    introduce(
        "join",
        f"{ALONE} WHEP joins one by one, {viewers} that stay, {viewers} that leave at their first "
        f"packet, {JOINING_AT_ONCE} at a time, while 2.4 Mbit/s are published; the server on one "
        "core, the load on another. The floor: the server's half of bare DTLS handshakes",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    shown = certificate()
    async with running(server_core) as server:
        show, key = await make_show(server.http)
        publisher = Publisher(shown)
        await publisher.connect(server.http, f"/whip/{show}", key)
        publisher.begin()
        lone = [Viewer(shown) for _ in range(ALONE)]
        alone = [await _visit(server.http, show, viewer) for viewer in lone]
        before = resident_bytes(server.pid)
        staying = [Viewer(shown) for _ in range(viewers)]
        await in_turns(staying, partial(join, server.http, show))
        grown = resident_bytes(server.pid) - before
        await _leave(staying)
        passing = [Viewer(shown) for _ in range(viewers)]
        cpu = cpu_seconds(server.pid)
        busy = await in_turns(passing, partial(_visit, server.http, show))
        cpu = cpu_seconds(server.pid) - cpu
        await publisher.leave()
    bare = await floor.handshakes(server_core, FLOOR_S)
    started = [1e3 * (viewer.first_at - viewer.connected_at) for viewer in lone]
    Report(
        *("join", viewers / cpu, "WHEP joins per core-second", bare),
        {
            "viewers": viewers,
            "ms_per_join": 1e3 * cpu / viewers,
            "alone_p50_ms": 1e3 * percentile(alone, 0.5),
            "alone_p99_ms": 1e3 * percentile(alone, 0.99),
            "busy_p50_ms": 1e3 * percentile(busy, 0.5),
            "busy_p99_ms": 1e3 * percentile(busy, 0.99),
            "dtls_to_packet_p99_ms": percentile(started, 0.99),
            "kb_per_viewer": grown / viewers / 1e3,
        },
    ).print()


async def _visit(http: httpx.AsyncClient, show: str, viewer: Viewer) -> float:
    took = await join(http, show, viewer)
    await viewer.leave()
    return took


async def _leave(viewers: Sequence[Viewer]) -> None:
    for viewer in viewers:
        await viewer.leave()
