"""How cost grows: with the products that are hot, with orders of the past, and with holds that
end all at once."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Final

import asyncpg

from tests.bench.audience import passed
from tests.bench.buyers import Buyers, post
from tests.bench.checkout import Shopper
from tests.bench.counter import Stall, count, hold_body, open_stall
from tests.bench.fanout import token_of
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import Server, running

HOT: Final = (1, 100, 10_000)
PAST: Final = (1, 1_000, 100_000, 1_000_000)
DUE: Final = 100_000
CONNECTIONS: Final = 256
SHOPPERS: Final = 8
BUYING: Final = 4
"""Buyers of another product while holds end."""
SWEPT_WITHIN_S: Final = 300.0
LOOK_EVERY_S: Final = 0.2
STILL_DUE: Final = "SELECT count(*) FROM holds WHERE state = 'held' AND expires_at <= now()"
STOCK: Final = 10_000_000

PRODUCTS: Final = (
    "INSERT INTO products (id, store, title, description, currency, option_names, version)"
    " SELECT $1 || n, $2, '작약', '', 'KRW', '{}', 1 FROM generate_series(1, $3::int) AS n",
    "INSERT INTO skus (id, product, position, store, options, price_minor, on_hand, free, held,"
    f" sold) SELECT $1 || n, $1 || n, 0, $2, '{{}}', 12000, {STOCK}, {STOCK}, 0, 0"
    " FROM generate_series(1, $3::int) AS n",
    "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
    f" SELECT id, 'opening', id, {STOCK}, 0, 0 FROM skus"
    " WHERE id LIKE $1 || '%' AND store = $2 AND $3::int > 0",
)
ORDERS: Final = (
    "INSERT INTO orders (id, store, buyer, idempotency_key, digest, state, goods_minor,"
    " total_minor, currency, recipient_name, recipient_phone, recipient_postcode,"
    " recipient_address, created_at, expires_at)"
    " SELECT 'past-' || n, store, 'past-' || n % 50000, 'past-' || n, '', 'paid', 12000, 12000,"
    " 'KRW', 'Mina', '010', '03187', 'Seoul', now() - n * interval '1 minute', now()"
    " FROM skus, generate_series($2::int, $3::int) AS n WHERE skus.id = $1",
    "INSERT INTO order_lines (order_id, position, sku, product, title, options, quantity,"
    " price_minor) SELECT 'past-' || n, 0, $1, $1, '작약', '{}', 1, 12000"
    " FROM generate_series($2::int, $3::int) AS n",
    "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
    " price_minor, currency, order_id, state, created_at, expires_at)"
    " SELECT 'past-' || n, 'past-' || n % 50000, 'past-' || n, $1, $1, '작약', '{}', 1, 12000,"
    " 'KRW', 'past-' || n, 'sold', now() - n * interval '1 minute', now()"
    " FROM generate_series($2::int, $3::int) AS n",
    "INSERT INTO payments (id, order_id, provider, amount_minor, currency, state)"
    " SELECT 'past-' || n, 'past-' || n, 'sandbox', 12000, 'KRW', 'confirmed'"
    " FROM skus, generate_series($2::int, $3::int) AS n WHERE skus.id = $1",
    "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
    " SELECT $1, reason, 'past-' || n, free, held, sold FROM generate_series($2::int, $3::int)"
    " AS n, (VALUES ('hold', -1, 1, 0), ('sell', 0, -1, 1)) AS kind(reason, free, held, sold)",
    "UPDATE skus SET free = free - ($3::int - $2::int + 1), sold = sold + ($3::int - $2::int + 1)"
    " WHERE id = $1",
)
"""What so many paid orders of one product leave behind."""
ENDING: Final = (
    "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
    " price_minor, currency, state, expires_at)"
    " SELECT id, id, 'due', sku, sku, '작약', '{}', 1, 12000, 'KRW', 'held', now()"
    " FROM generate_series(1, $2::int) AS n, concat('due-', $1::int, '-', n) AS id,"
    " concat('hot-', n % $1::int + 1) AS sku",
    "INSERT INTO stock_movements (sku, reason, ref, free_change, held_change, sold_change)"
    " SELECT concat('hot-', n % $1::int + 1), 'hold', concat('due-', $1::int, '-', n), -1, 1, 0"
    " FROM generate_series(1, $2::int) AS n",
    "UPDATE skus SET free = free - units, held = held + units"
    " FROM (SELECT concat('hot-', n % $1::int + 1) AS sku, count(*) AS units"
    " FROM generate_series(1, $2::int) AS n GROUP BY 1) AS due WHERE id = sku",
)
"""So many holds whose time is over, of the first so many products."""


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "growth",
        f"{CONNECTIONS} buyers hold units of {HOT} products, then of one with {PAST} paid orders "
        f"in the past, {seconds:g} s each; {SHOPPERS} buy and pay there; then {DUE} holds of {HOT} "
        f"products end at once while {BUYING} buyers hold units of another; the server on one "
        "core, load and stores on another. The floor: what a hold costs beside one past order",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http)
        connection = await asyncpg.connect(server.database_url)
        closing.push_async_callback(connection.close)
        hot, more = await _hot(server, connection, stall, seconds)
        past, costs_us = await _past(server, connection, hot[0], seconds)
        ending = {
            f"ended_of_{size}_{what}": figure
            for size in HOT
            for what, figure in (await _ending(server, connection, size)).items()
        }
        counted = await count(server.database_url, tuple(hot))
    Report(
        *("growth", costs_us[-1], f"µs of the server's for a hold, {PAST[-1]} past orders"),
        costs_us[0],
        {**more, **past, **ending, "oversold": counted.oversold, "drift": counted.drift},
        is_cost=True,
    ).print()


async def _write(
    connection: asyncpg.Connection, statements: Sequence[str], *values: object
) -> None:
    """All of it or nothing, and PostgreSQL knows how much there is."""
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement, *values, timeout=300)
    await connection.execute("ANALYZE")


async def _hot(
    server: Server, connection: asyncpg.Connection, stall: Stall, seconds: float
) -> tuple[list[str], dict[str, float]]:
    """The products, and what holds of some or all of them cost."""
    await _write(connection, PRODUCTS, "hot-", stall.slug, HOT[-1] + 1)
    products = [f"hot-{number}" for number in range(1, HOT[-1] + 2)]
    more: dict[str, float] = {}
    for size in HOT:
        rate, cost_us, p99_ms = await _hold(server, products[:size], f"hot-{size}", seconds)
        more |= {f"hot_{size}_per_s": rate, f"hot_{size}_us": cost_us, f"hot_{size}_p99_ms": p99_ms}
    return products, more


async def _past(
    server: Server, connection: asyncpg.Connection, product: str, seconds: float
) -> tuple[dict[str, float], list[float]]:
    """What a hold and a paid order cost beside more and more orders of the past."""
    more: dict[str, float] = {}
    costs_us, before = [], 0
    shoppers = [Shopper(token_of(server.secret, -number), product) for number in range(SHOPPERS)]
    for size in PAST:
        await _write(connection, ORDERS, product, before + 1, size)
        before = size
        rate, cost_us, _ = await _hold(server, [product], f"past-{size}", seconds)
        costs_us.append(cost_us)
        more |= {f"past_{size}_per_s": rate, f"past_{size}_us": cost_us}
        more[f"past_{size}_orders_per_s"] = await _buy(server, shoppers, seconds)
    return more, costs_us


async def _hold(
    server: Server, products: Sequence[str], key: str, seconds: float
) -> tuple[float, float, float]:
    """Holds/s of these products in turn, the server's µs for each, and the p99 in ms."""
    buyers, over = Buyers(), asyncio.Event()
    bodies = [hold_body(product) for product in products]
    tokens = [token_of(server.secret, number) for number in range(CONNECTIONS)]
    url = str(server.http.base_url)
    asked = [
        _requests(token, bodies[number % len(bodies) :] + bodies, key, over)
        for number, token in enumerate(tokens)
    ]
    await buyers.enter(url, asked)
    try:
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        buyers.begin()
        await passed(seconds)
        over.set()
        await buyers.done.wait()
        elapsed, cpu = time.monotonic() - began, cpu_seconds(server.pid) - cpu
    finally:
        buyers.leave()
    done = len(buyers.waits_ms)
    if buyers.statuses[b"201"] != done:
        raise RuntimeError(f"not all were held: {buyers.statuses}")
    return done / elapsed, 1e6 * cpu / done, percentile(buyers.waits_ms, 0.99)


async def _buy(server: Server, shoppers: Sequence[Shopper], seconds: float) -> float:
    """Paid orders/s."""
    before = sum(len(shopper.waits_ms) for shopper in shoppers)
    began = time.monotonic()
    await asyncio.gather(
        *(shopper.shop(str(server.http.base_url), began + seconds) for shopper in shoppers)
    )
    paid = sum(len(shopper.waits_ms) for shopper in shoppers) - before
    return paid / (time.monotonic() - began)


async def _ending(server: Server, connection: asyncpg.Connection, size: int) -> dict[str, float]:
    """How long it takes until all are given back, and what holds of another product cost then."""
    buyers, over = Buyers(), asyncio.Event()
    tokens = [token_of(server.secret, number) for number in range(BUYING)]
    asked = [
        _requests(token, [hold_body(f"hot-{HOT[-1] + 1}")], f"ending-{size}", over)
        for token in tokens
    ]
    await buyers.enter(str(server.http.base_url), asked)
    try:
        await _write(connection, ENDING, size, DUE)
        buyers.begin()
        cpu, began = cpu_seconds(server.pid), time.monotonic()
        async with asyncio.timeout(SWEPT_WITHIN_S):
            while await connection.fetchval(STILL_DUE):
                await passed(LOOK_EVERY_S)
        elapsed, cpu = time.monotonic() - began, cpu_seconds(server.pid) - cpu
        over.set()
        await buyers.done.wait()
    finally:
        buyers.leave()
    return {
        "s": elapsed,
        "per_s": DUE / elapsed,
        "server_cpu_s": cpu,
        "others_p50_ms": percentile(buyers.waits_ms, 0.5),
        "others_p99_ms": percentile(buyers.waits_ms, 0.99),
    }


def _requests(
    token: str, bodies: Sequence[bytes], key: str, over: asyncio.Event
) -> Iterator[bytes]:
    for number, body in enumerate(cycle(bodies)):
        if over.is_set():
            return
        yield post("/holds", token, f"{key}-{number}", body)
