"""New stock for thousands who wait: how soon each has an offer, and what it costs the others."""

import asyncio
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from cart.core.draft import STOCK_LIMIT_UNITS
from cart.core.waitlist import SKU_LIMIT_WAITS
from tests.bench.audience import passed
from tests.bench.buyers import Buyers, post
from tests.bench.counter import Stall, add_product, count, hold_body, open_stall
from tests.bench.fanout import token_of
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.room import Audience, Frame, Guest, join
from tests.bench.server import Server, running

IN_ROOM: Final = 200
EVERY: Final = SKU_LIMIT_WAITS // IN_ROOM
"""Of the line each so-manieth is in the room, from the first to almost the last."""
BUYING: Final = 4
"""Buyers of another product meanwhile."""
QUIET_S: Final = 3.0
TOLD_WITHIN_S: Final = 60.0
LINE: Final = (
    "INSERT INTO waits (id, sku, product, buyer, idempotency_key, quantity, offer_ms, state)"
    " SELECT 'wait-' || n, $1, $1, 'bench-' || n, 'restock', 1, 120000, 'waiting'"
    " FROM generate_series(0, $2::int - 1) AS n"
)
BARE: Final = (
    "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
    " price_minor, currency, state, expires_at) SELECT 'bare-' || n, 'bare-' || n, 'bare', $1, $1,"
    " '', '{}', 1, 12000, 'KRW', 'held', now() + interval '2 minutes'"
    " FROM generate_series(0, $2::int - 1) AS n",
    "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
    " SELECT $1, 'hold', 'bare-' || n, -1, 1, 0 FROM generate_series(0, $2::int - 1) AS n",
    "UPDATE waits SET state = state WHERE sku = $1 AND place <= $2::int",
    "INSERT INTO cart_outbox (store, event) SELECT store, jsonb_build_object('n', n)"
    " FROM products, generate_series(0, $2::int - 1) AS n WHERE id = $1",
)
"""What must be written at least, by one statement for each table."""


@dataclass(slots=True)
class Patient(Audience):
    """Those of the line who are in the room; `offered`: when each was told, by descriptor."""

    offered: dict[int, float] = field(default_factory=dict)
    all_offered: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, guest: Guest, frame: Frame, now: int) -> None:
        """Note an offer; there is one for each."""
        Audience.hear(self, guest, frame, now)
        if any(event["type"] == "offer" for event in frame.events):
            self.offered.setdefault(guest.socket.fileno(), now / 1e9)
            if len(self.offered) == IN_ROOM:
                self.all_offered.set()


@dataclass(frozen=True, slots=True)
class Measured:
    """What the restock did: `told_ms` after it began, of each in the room; `quiet_ms` and
    `others_ms` how long holds of another product took before and meanwhile."""

    offered_ms: float
    told_ms: list[float]
    cpu_s: float
    quiet_ms: list[float]
    others_ms: list[float]


async def run(_viewers: int, _seconds: float) -> None:
    """Measure and print."""
    introduce(
        "restock",
        f"{SKU_LIMIT_WAITS} wait for a product, {IN_ROOM} of them in the show's room; its seller "
        f"adds as many units, while {BUYING} buyers hold units of another product; ms until the "
        "last of the room is told of its offer; the server on one core, load and stores on "
        "another. The floor: a transaction that writes as many rows by one statement for each "
        "table",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http, 0)
        connection = await asyncpg.connect(server.database_url)
        closing.push_async_callback(connection.close)
        await connection.execute(LINE, stall.products[0], SKU_LIMIT_WAITS)
        await connection.execute("ANALYZE waits")
        measured = await _measure(closing, server, stall)
        counted = await count(server.database_url, stall.products)
        bare_ms = await _bare(connection, stall.products[0])
    last_ms = max(measured.told_ms)
    Report(
        *("restock", last_ms, "ms until the last in the room is told of its offer", bare_ms),
        {
            "offered": counted.holds,
            "offered_ms": measured.offered_ms,
            "told_p50_ms": percentile(measured.told_ms, 0.5),
            "server_cpu_ms": 1e3 * measured.cpu_s,
            "others_quiet_p50_ms": percentile(measured.quiet_ms, 0.5),
            "others_quiet_p99_ms": percentile(measured.quiet_ms, 0.99),
            "others_p50_ms": percentile(measured.others_ms, 0.5),
            "others_p99_ms": percentile(measured.others_ms, 0.99),
            "others_last_ms": max(measured.others_ms),
            "oversold": counted.oversold,
            "drift": counted.drift,
        },
        is_cost=True,
    ).print()


async def _measure(closing: AsyncExitStack, server: Server, stall: Stall) -> Measured:
    url, wanted = str(server.http.base_url), stall.products[0]
    patient = Patient()
    patient.watch()
    closing.callback(patient.leave)
    line = range(0, SKU_LIMIT_WAITS, EVERY)
    await join(url, stall.show, [token_of(server.secret, number) for number in line], patient)
    buyers, over = Buyers(), asyncio.Event()
    body = hold_body(await add_product(server.http, stall.slug, STOCK_LIMIT_UNITS))
    tokens = [token_of(server.secret, -1 - number) for number in range(BUYING)]
    await buyers.enter(url, [_requests(token, body, over) for token in tokens])
    closing.callback(buyers.leave)
    buyers.begin()
    await passed(QUIET_S)
    quiet_ms = [*buyers.waits_ms]
    buyers.waits_ms.clear()
    cpu, began = cpu_seconds(server.pid), time.monotonic()
    change = {"sku": wanted, "change": SKU_LIMIT_WAITS}
    answer = await server.http.post(
        f"/products/{wanted}/stock",
        json={"reason": "restock", "changes": [change]},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    answer.raise_for_status()
    offered_s = time.monotonic() - began
    async with asyncio.timeout(TOLD_WITHIN_S):
        await patient.all_offered.wait()
    cpu = cpu_seconds(server.pid) - cpu
    over.set()
    await buyers.done.wait()
    told_ms = [1e3 * (at_s - began) for at_s in patient.offered.values()]
    return Measured(1e3 * offered_s, told_ms, cpu, quiet_ms, buyers.waits_ms)


def _requests(token: str, body: bytes, over: asyncio.Event) -> Iterator[bytes]:
    number = 0
    while not over.is_set():
        number += 1
        yield post("/holds", token, str(number), body)


async def _bare(connection: asyncpg.Connection, product: str) -> float:
    """How many ms the floor takes; nothing of it is kept."""
    began = time.monotonic()
    transaction = connection.transaction()
    await transaction.start()
    for statement in BARE:
        await connection.execute(statement, product, SKU_LIMIT_WAITS)
    elapsed_ms = 1e3 * (time.monotonic() - began)
    await transaction.rollback()
    return elapsed_ms
