"""The ledger without a web server: group commit, and one row at a time, on one hot product.

Run in a process of its own, which reads its orders as JSON from standard input, pins itself to the
core the server had, and answers the holds per second of both.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any, Final

import uvloop

from cart.adapters.database import Database
from cart.adapters.ledger import SqlLedger
from cart.core.hold import HoldLine
from cart.core.stock import HoldRequest, decide
from cart.holding import BATCH_LIMIT, Holding
from cart.shopping import new_id
from live.server.schema import make_engine

WAITING: Final = 8 * BATCH_LIMIT
"""Requests that wait at the door, so that no batch lacks any."""
WRITERS: Final = (1, 4, 16)
"""Connections that each write one row at a time; the fastest number of them counts."""


async def measure(core: int, database_url: str, product: str, seconds: float) -> dict[str, float]:
    """Holds/s in group commit and row at a time, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.ledger"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    orders = {"core": core, "url": database_url, "product": product, "seconds": seconds}
    out, _ = await process.communicate(json.dumps(orders).encode())
    if process.returncode:
        raise RuntimeError("the ledger could not be measured")
    found: dict[str, float] = json.loads(out)
    return found


async def _grouped(ledger: SqlLedger, product: str, seconds: float) -> float:
    holding = Holding(ledger, hold_seconds=600)
    count, until = 0, time.monotonic() + seconds

    async def buyer(number: int) -> None:
        nonlocal count
        while time.monotonic() < until:
            await holding.hold(f"ledger-{number}", new_id(), [HoldLine(sku=product)])
            count += 1

    running = asyncio.create_task(holding.run())
    began = time.monotonic()
    await asyncio.gather(*(buyer(number) for number in range(WAITING)))
    figure = count / (time.monotonic() - began)
    running.cancel()
    return figure


async def _row_by_row(ledger: SqlLedger, product: str, writers: int, seconds: float) -> float:
    count, until = 0, time.monotonic() + seconds

    async def write(number: int) -> None:
        nonlocal count
        while time.monotonic() < until:
            lines = (HoldLine(sku=product),)
            request = HoldRequest((new_id(),), f"row-{number}", new_id(), lines, None)
            async with ledger.batch([request], 600_000) as batch:
                await batch.keep([request], decide([request], batch.facts))
            count += 1

    began = time.monotonic()
    await asyncio.gather(*(write(number) for number in range(writers)))
    return count / (time.monotonic() - began)


async def _measure(orders: dict[str, Any]) -> dict[str, float]:
    engine = make_engine(orders["url"])
    ledger = SqlLedger(Database(engine))
    product, seconds = orders["product"], orders["seconds"]
    grouped = await _grouped(ledger, product, seconds)
    rows = [await _row_by_row(ledger, product, writers, seconds / 2) for writers in WRITERS]
    await engine.dispose()
    return {"grouped": grouped, "row_by_row": max(rows)}


def main() -> None:
    """Do what standard input orders."""
    orders = json.load(sys.stdin)
    os.sched_setaffinity(0, {orders["core"]})
    print(json.dumps(uvloop.run(_measure(orders))))


if __name__ == "__main__":
    main()
