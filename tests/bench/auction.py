"""How many bids a second a node decides on one auction, each durable before its answer."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
import httpx
import msgspec

from cart.core.auction import increment
from tests.bench import empty
from tests.bench.buyers import Buyers, post
from tests.bench.counter import Stall, open_stall
from tests.bench.fanout import token_of
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import Server, running

BIDDERS: Final = 64
WARM_S: Final = 1.0
START_MINOR: Final = 1_000
INCREMENTS: Final = "fine"
KNOWN: Final = (
    "INSERT INTO accounts (id, email, name, locale, password_hash, created_at)"
    " SELECT 'bench-' || n, n || '@bench.example', 'bidder ' || n, 'ko', '', now()"
    " FROM generate_series(0, $1::int - 1) AS n"
)
"""Who bids has an account."""


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "auction",
        f"{BIDDERS} bidders on as many connections, each outbidding all others when it was "
        f"answered, {seconds:g} s on one auction over loopback; the server on one core, load and "
        "stores on another. Who is overtaken on the way is refused. The floor: an empty endpoint "
        "of the same web server",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http, 1)
        connection = await asyncpg.connect(server.database_url)
        closing.push_async_callback(connection.close)
        await connection.execute(KNOWN, BIDDERS)
        auction = await _open(server.http, stall)
        cpu = cpu_seconds(server.pid)
        bidders, elapsed_s = await _bid(str(server.http.base_url), server, auction, seconds)
        cpu = cpu_seconds(server.pid) - cpu
        kept = await connection.fetchval("SELECT count(*) FROM auction_bids")
        url = await closing.enter_async_context(empty.serving(server_core))
        bare, bare_s = await _bid(url, server, auction, seconds / 2)
    taken = bidders.statuses[b"201"]
    Report(
        *("auction", len(bidders.waits_ms) / elapsed_s, "bids decided/s on one auction over HTTP"),
        len(bare.waits_ms) / bare_s,
        {
            "p50_ms": percentile(bidders.waits_ms, 0.5),
            "p99_ms": percentile(bidders.waits_ms, 0.99),
            "taken_per_s": taken / elapsed_s,
            "overtaken": bidders.statuses[b"409"],
            "failed": len(bidders.waits_ms) - taken - bidders.statuses[b"409"],
            "us_per_bid": 1e6 * cpu / len(bidders.waits_ms),
            "core_share": cpu / elapsed_s,
            "lost": taken - kept,
        },
    ).print()


async def _open(http: httpx.AsyncClient, stall: Stall) -> str:
    lot = {"sku": stall.products[0], "start_minor": START_MINOR, "increments": INCREMENTS}
    answer = await http.post(
        f"/shows/{stall.show}/auctions",
        json=lot | {"length_s": 3_600},
        headers={"Idempotency-Key": secrets.token_hex(8)},
    )
    answer.raise_for_status()
    opened: str = answer.json()["id"]
    return opened


async def _bid(url: str, server: Server, auction: str, seconds: float) -> tuple[Buyers, float]:
    bidders, prices = Buyers(), _prices()
    until = time.monotonic() + WARM_S + seconds
    tokens = [token_of(server.secret, number) for number in range(BIDDERS)]
    await bidders.enter(url, [_requests(auction, token, prices, until) for token in tokens])
    try:
        bidders.begin()
        began = time.monotonic()
        await bidders.done.wait()
        elapsed_s = time.monotonic() - began
    finally:
        bidders.leave()
    return bidders, elapsed_s


def _prices() -> Iterator[int]:
    """What everybody together bids, one after the other."""
    price_minor = START_MINOR
    while True:
        yield price_minor
        price_minor += increment(price_minor, INCREMENTS)


def _requests(auction: str, token: str, prices: Iterator[int], until: float) -> Iterator[bytes]:
    while time.monotonic() < until:
        price_minor = next(prices)
        body = msgspec.json.encode({"amount_minor": price_minor})
        yield post(f"/auctions/{auction}/bids", token, str(price_minor), body)
