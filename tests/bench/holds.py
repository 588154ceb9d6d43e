"""How many holds a second a node acknowledges on one hot product, durable before each answer."""

import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final

from tests.bench import empty, ledger
from tests.bench.audience import passed
from tests.bench.buyers import Buyers, post
from tests.bench.counter import Stall, count, hold_body, open_stall
from tests.bench.fanout import token_of
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.room import command, enter
from tests.bench.server import Server, running

CONNECTIONS: Final = 512
WARM_S: Final = 1.0
IN_ROOM: Final = 1_000
HOLDS_IN_ROOM: Final = 30
"""Of each viewer; below what one may send at once (`chat.core.rate_limit.MESSAGES`)."""
SETTLE_S: Final = 2.0


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "holds",
        f"{CONNECTIONS} buyers on as many connections, each asking for a further unit of a product "
        f"when it was answered, {seconds:g} s over loopback; then {IN_ROOM} viewers over the "
        "websockets of the show's room; the server on one core, load and stores on another. "
        "The floor: an empty endpoint of the same web server. Beside it the ledger without a web "
        "server: in group commit, and a transaction for each hold",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http)
        cpu = cpu_seconds(server.pid)
        over_http, rate = await _ask(str(server.http.base_url), server, stall, seconds)
        cpu = cpu_seconds(server.pid) - cpu
        counted = await count(server.database_url, stall.products)
        in_room, room_rate, in_room_us = await _ask_in_room(server, stall)
        url = await closing.enter_async_context(empty.serving(server_core))
        _, bare = await _ask(url, server, stall, seconds / 2)
        alone = await ledger.measure(server_core, server.database_url, stall.products[0], seconds)
    Report(
        *("holds", rate, "acknowledged durable holds/s over HTTP", bare),
        {
            "p50_ms": percentile(over_http.waits_ms, 0.5),
            "p99_ms": percentile(over_http.waits_ms, 0.99),
            "core_share": cpu / (seconds + WARM_S),
            "us_per_hold": 1e6 * cpu / len(over_http.waits_ms),
            "refused": sum(over_http.statuses.values()) - over_http.statuses[b"201"],
            "lost": over_http.statuses[b"201"] - counted.holds,
            "oversold": counted.oversold,
            "drift": counted.drift,
            "in_room_per_s": room_rate,
            "in_room_us_per_hold": in_room_us,
            "in_room_p50_ms": percentile(in_room.waits_ms, 0.5),
            "in_room_p99_ms": percentile(in_room.waits_ms, 0.99),
            "in_room_refused": in_room.statuses[b"not_held"],
            "ledger_alone_per_s": alone["grouped"],
            "row_by_row_per_s": alone["row_by_row"],
        },
    ).print()


async def _ask(url: str, server: Server, stall: Stall, seconds: float) -> tuple[Buyers, float]:
    buyers = Buyers()
    until = time.monotonic() + WARM_S + seconds
    body = hold_body(stall.products[0], stall.show)
    tokens = [token_of(server.secret, number) for number in range(CONNECTIONS)]
    await buyers.enter(url, [_requests(token, body, until) for token in tokens])
    try:
        buyers.begin()
        began = time.monotonic()
        await buyers.done.wait()
        elapsed = time.monotonic() - began
    finally:
        buyers.leave()
    return buyers, len(buyers.waits_ms) / elapsed


async def _ask_in_room(server: Server, stall: Stall) -> tuple[Buyers, float, float]:
    """The same in the show's room; answers, holds/s, and the server's µs for each."""
    buyers = Buyers(in_room=True)
    url, body = str(server.http.base_url), {"sku": stall.products[0]}
    for number in range(IN_ROOM):
        connection = await enter(url, stall.show, token_of(server.secret, number), number)
        wishes = (
            command(type="hold", id=f"room-{wish}", lines=[body]) for wish in range(HOLDS_IN_ROOM)
        )
        buyers.add(connection, wishes)
    buyers.watch()
    try:
        await passed(SETTLE_S)
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        buyers.begin()
        await buyers.done.wait()
        elapsed, cpu = time.monotonic() - began, cpu_seconds(server.pid) - cpu
    finally:
        buyers.leave()
    count = len(buyers.waits_ms)
    return buyers, count / elapsed, 1e6 * cpu / count


def _requests(token: str, body: bytes, until: float) -> Iterator[bytes]:
    number = 0
    while time.monotonic() < until:
        number += 1
        yield post("/holds", token, str(number), body)
