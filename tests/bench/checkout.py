"""How many orders a second a node sees paid: hold, order, payment begun, approved and confirmed."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tests.bench import empty
from tests.bench.audience import passed
from tests.bench.buyers import HEAD_END, LENGTH, post
from tests.bench.counter import count, hold_body, open_stall
from tests.bench.fanout import token_of
from tests.bench.machine import cpu_seconds, percentile, pin, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import running
from tests.whole.shop import RECIPIENT

BUYERS: Final = 16
REQUESTS: Final = 5
"""Of one paid order: hold, order, pay, approve, confirm."""
WARM_S: Final = 1.0


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "checkout",
        f"{BUYERS} buyers, each buying a unit of one product again and again for {seconds:g} s: "
        f"{REQUESTS} requests over one connection, the sandbox as provider, the server on one "
        "core, load and stores on another. The floor: as many requests to an empty endpoint",
    )
    server_core, load_core = two_cores()
    pin(os.getpid(), load_core)
    async with AsyncExitStack() as closing:
        server = await closing.enter_async_context(running(server_core))
        stall = await open_stall(server.http)
        tokens = [token_of(server.secret, number) for number in range(BUYERS)]
        shoppers = [Shopper(token, stall.products[0]) for token in tokens]
        cpu = cpu_seconds(server.pid)
        rate = await _crowd(shoppers, str(server.http.base_url), seconds)
        cpu = cpu_seconds(server.pid) - cpu
        counted = await count(server.database_url, stall.products)
        url = await closing.enter_async_context(empty.serving(server_core))
        bare = await _crowd([Asker(token) for token in tokens], url, seconds / 2)
    waits_ms = [wait for shopper in shoppers for wait in shopper.waits_ms]
    Report(
        *("checkout", rate, "paid orders/s", bare),
        {
            "p50_ms": percentile(waits_ms, 0.5),
            "p99_ms": percentile(waits_ms, 0.99),
            "us_per_order": 1e6 * cpu / max(1, len(waits_ms)),
            "core_share": cpu / (seconds + WARM_S),
            "lost": len(waits_ms) - counted.sold,
            "oversold": counted.oversold,
            "drift": counted.drift,
        },
        is_cost=False,
    ).print()


class Asker:
    """Somebody with a connection who asks an empty endpoint as often as a purchase would."""

    def __init__(self, token: str) -> None:
        self.waits_ms: list[float] = []
        self._token = token
        self._keys = 0

    async def shop(self, url: str, until: float) -> None:
        """Buy until it is time."""
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", urlsplit(url).port or 80
        )
        while time.monotonic() < until:
            began = time.monotonic()
            await self.buy()
            self.waits_ms.append(1e3 * (time.monotonic() - began))
        self._writer.close()

    async def buy(self) -> None:
        """As many requests as a purchase has."""
        for _ in range(REQUESTS):
            await self.ask("/holds", {})

    async def ask(self, path: str, body: dict[str, Any]) -> Any:
        """The answer's JSON, None where it has none."""
        self._keys += 1
        encoded = msgspec.json.encode(body)
        self._writer.write(post(path, self._token, f"checkout-{self._keys}", encoded))
        head = await self._reader.readuntil(HEAD_END)
        at = head.find(LENGTH) + len(LENGTH)
        raw = await self._reader.readexactly(int(head[at : head.index(b"\r", at)]))
        if head[9:12] >= b"400":
            raise RuntimeError(f"{path}: {raw!r}")
        return msgspec.json.decode(raw) if raw else None


class Shopper(Asker):
    """Somebody who buys one unit after another, and pays."""

    def __init__(self, token: str, product: str) -> None:
        super().__init__(token)
        self._wish = msgspec.json.decode(hold_body(product))

    async def buy(self) -> None:
        """One purchase. Raises `RuntimeError` when it does not end paid."""
        held = await self.ask("/holds", self._wish)
        holds = [hold["id"] for hold in held["holds"]]
        total = sum(hold["price_minor"] * hold["quantity"] for hold in held["holds"])
        wish = {"holds": holds, "recipient": RECIPIENT, "total_minor": total}
        placed = await self.ask("/orders", wish)
        begun = await self.ask(f"/orders/{placed['id']}/pay", {})
        await self.ask(f"{begun['redirect']}/approve", {})
        paid = await self.ask(f"/orders/{placed['id']}/confirm", {})
        if paid["state"] != "paid":
            raise RuntimeError(f"not paid: {paid}")


async def _crowd(askers: list[Shopper] | list[Asker], url: str, seconds: float) -> float:
    """All of them at once; purchases per second."""
    began = time.monotonic()
    until = began + WARM_S + seconds
    async with asyncio.TaskGroup() as tasks:
        for asker in askers:
            tasks.create_task(asker.shop(url, until))
            await passed(0)
    return sum(len(asker.waits_ms) for asker in askers) / (time.monotonic() - began)
