"""Two servers of one shop, buyers after one hot product, and everything killed in random order.

Buyers insist: what is not answered is asked again by the same key, at whichever server answers,
until it is. What was acknowledged they write down; when all is quiet it is looked for in the
database, and units and money are counted anew.
"""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import psutil

from live.server.settings import Settings
from live.server.stores import Stores, open_stores
from tests.bench.audience import passed
from tests.bench.fanout import token_of
from tests.e2e.server import migrate
from tests.whole.server import Server
from tests.whole.shop import PRICE_MINOR, RECIPIENT, Json, open_shop, take

NODES: Final = 2
HOLD_SECONDS: Final = 12
"""Short, so that holds expire in the middle of it."""
ASK_AGAIN_S: Final = 0.05
PATIENCE_S: Final = 60.0
QUIET_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.2
DECISIONS: Final = ("approve", "approve", "approve", "decline", "repeat", "silent")
"""What buyers choose on the provider's page; some of it goes wrong there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`seed`: the order of the kills and what buyers do. `stock`: units there are to be had."""

    buyers: int
    stock: int
    seconds: float
    seed: int


@dataclass(slots=True)
class Diary:
    """What the buyers were told for certain."""

    holds: dict[str, str] = field(default_factory=dict)
    """The buyer of each hold that was acknowledged."""
    orders: dict[str, str] = field(default_factory=dict)
    paid: set[str] = field(default_factory=set)
    called_off: set[str] = field(default_factory=set)
    """Orders whose buyer cancelled them, paid or not."""
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Answers of 500: a server that said that it did not know what happened."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was told, and how the books stand in the end.

    `lost`: holds and orders that were acknowledged and are not there. `broken`: paid orders that
    are neither paid nor cancelled. `oversold`: units. `drift`: units by which counters and holds
    differ. `unbacked`: paid orders whose units are not sold, sold units without a paid order.
    `owed_minor`: money the provider took and no order accounts for, or the other way.
    """

    kills: int
    holds: int
    orders: int
    paid: int
    refused: Counter[str]
    faults: int
    lost: int
    broken: int
    oversold: int
    drift: int
    unbacked: int
    owed_minor: int


@dataclass(slots=True)
class _Buyer:
    """Buys until it is over: holds, sometimes thinks better of it, orders, pays or does not."""

    id: str
    client: httpx.AsyncClient
    servers: Sequence[Server]
    product: str
    diary: Diary
    chance: random.Random
    over: Callable[[], bool]

    async def run(self) -> None:
        while not self.over():
            held = await self._insist("POST", "/holds", take(self.product), keyed=True)
            if held is None:
                await passed(ASK_AGAIN_S)
                continue
            hold = held["holds"][0]["id"]
            self.diary.holds[hold] = self.id
            if self.chance.random() < 0.2:
                await self._insist("DELETE", f"/holds/{hold}")
            elif self.chance.random() < 0.9:  # the others forget it: it expires
                await self._order(hold)

    async def _order(self, hold: str) -> None:
        body = {"holds": [hold], "recipient": RECIPIENT, "total_minor": PRICE_MINOR}
        placed = await self._insist("POST", "/orders", body, keyed=True)
        if placed is None:
            return
        order = placed["id"]
        self.diary.orders[order] = self.id
        if self.chance.random() < 0.8:
            await self._pay(order)
        if self.chance.random() < 0.2:
            self.diary.called_off.add(order)
            await self._insist("POST", f"/orders/{order}/cancel")

    async def _pay(self, order: str) -> None:
        begun = await self._insist("POST", f"/orders/{order}/pay")
        if begun is None:
            return
        await self._insist("POST", f"{begun['redirect']}/{self.chance.choice(DECISIONS)}")
        settled = await self._insist("POST", f"/orders/{order}/confirm")
        if settled is not None and settled["state"] == "paid":
            self.diary.paid.add(order)

    async def _insist(
        self, method: str, path: str, body: Json | None = None, *, keyed: bool = False
    ) -> Json | None:
        """The answer, however often it takes; None when it is a refusal."""
        headers = {"Idempotency-Key": f"{self.chance.getrandbits(64):x}"} if keyed else {}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                url = self.chance.choice(self.servers).url
                try:
                    answer = await self.client.request(
                        method, url + path, json=body, headers=headers
                    )
                except httpx.TransportError:
                    await passed(ASK_AGAIN_S)
                    continue
                if answer.status_code < 500:
                    return self._read(answer)
                if answer.status_code == 500:
                    self.diary.faults.append(f"{method} {path}: {answer.text}")
                await passed(ASK_AGAIN_S)

    def _read(self, answer: httpx.Response) -> Json | None:
        if answer.is_error:
            self.diary.refused[answer.json()["code"]] += 1
            return None
        found: Json = answer.json() if answer.content else {}
        return found


async def chaos(folder: Path, plan: Plan) -> Findings:
    """Let it all happen in the folder, and tell what came of it."""
    async with AsyncExitStack() as closing:
        stores = await closing.enter_async_context(open_stores(Settings(data_dir=folder / "s")))
        secret = secrets.token_urlsafe(32)
        servers = await closing.enter_async_context(_nodes(folder, stores, secret))
        shop = await open_shop(servers[0], stock=plan.stock)
        diary, until = Diary(), time.monotonic() + plan.seconds
        kills = 0
        async with asyncio.TaskGroup() as tasks:
            for number in range(plan.buyers):
                headers = {"Authorization": f"Bearer {token_of(secret, number)}"}
                client = httpx.AsyncClient(headers=headers, timeout=10)
                await closing.enter_async_context(client)
                buyer = _Buyer(
                    *(f"bench-{number}", client, servers, shop.product, diary),
                    *(random.Random(f"{plan.seed} {number}"), lambda: time.monotonic() > until),
                )
                tasks.create_task(buyer.run())
            kills = await _trouble(plan, stores, servers, until)
        connection = await asyncpg.connect(stores.database_url)
        closing.push_async_callback(connection.close)
        await _quiet(connection)
        return await _found(connection, diary, kills)


@asynccontextmanager
async def _nodes(folder: Path, stores: Stores, secret: str) -> AsyncIterator[list[Server]]:
    shared = {
        "KKOT_DATABASE_URL": stores.database_url,
        "KKOT_REDIS_URL": stores.redis_url,
        "KKOT_SECRET": secret,
        "KKOT_LOG_LEVEL": "warning",
        "KKOT_HOLD_SECONDS": str(HOLD_SECONDS),
    }
    await migrate(folder / "migration", shared)
    servers = [Server(folder / str(number), **shared) for number in range(NODES)]
    try:
        await asyncio.gather(*(server.start() for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(server.close() for server in servers))


async def _trouble(plan: Plan, stores: Stores, servers: Sequence[Server], until: float) -> int:
    """Kill everything in turn, in an order drawn anew each time; how many times it was."""
    chance, kills = random.Random(plan.seed), 0

    async def bounce(server: Server) -> None:
        await server.kill()
        await server.start()

    async def kill(store: str) -> None:
        victim = stores.embedded[store]
        async with victim.restarted:
            psutil.Process(victim.pid).kill()
            await victim.restarted.wait()

    victims: list[Callable[[], Awaitable[None]]] = [
        *(lambda server=server: bounce(server) for server in servers),
        *(lambda store=store: kill(store) for store in stores.embedded),
    ]
    while time.monotonic() < until or not kills:
        for victim in chance.sample(victims, len(victims)):
            await passed(chance.uniform(0.1, 1.0))
            await victim()
            kills += 1
    return kills


UNSETTLED: Final = """
SELECT (SELECT count(*) FROM holds WHERE state IN ('held', 'ordered', 'paying'))
     + (SELECT count(*) FROM payments WHERE state IN ('claimed', 'unknown', 'voiding'))
"""


async def _quiet(connection: asyncpg.Connection) -> None:
    """Until no unit waits for anybody and no money is on its way."""
    async with asyncio.timeout(QUIET_WITHIN_S):
        while await connection.fetchval(UNSETTLED):
            await passed(LOOK_EVERY_S)


OVERSOLD: Final = "SELECT coalesce(sum(greatest(0, sold + held - on_hand)), 0) FROM skus"
DRIFT: Final = """
SELECT coalesce(sum(abs(s.held - h.held) + abs(s.sold - h.sold)), 0)
FROM skus s CROSS JOIN LATERAL (
    SELECT coalesce(sum(quantity) FILTER (WHERE state IN ('held', 'ordered', 'paying')), 0) AS held,
           coalesce(sum(quantity) FILTER (WHERE state = 'sold'), 0) AS sold
    FROM holds WHERE sku = s.id
) h
"""
UNBACKED: Final = """
SELECT count(*) FROM holds h FULL JOIN orders o ON o.id = h.order_id
WHERE coalesce(h.state = 'sold', false) <> coalesce(o.state = 'paid', false)
"""
OWED: Final = """
SELECT (SELECT coalesce(sum(amount_minor), 0) FROM sandbox_payments WHERE standing = 'confirmed')
     - (SELECT coalesce(sum(total_minor), 0) FROM orders WHERE state = 'paid')
"""


async def _found(connection: asyncpg.Connection, diary: Diary, kills: int) -> Findings:
    rows = await connection.fetch("SELECT id, buyer FROM holds")
    holds = {row["id"]: row["buyer"] for row in rows}
    rows = await connection.fetch("SELECT id, buyer, state FROM orders")
    orders, states = ({row["id"]: row[of] for row in rows} for of in ("buyer", "state"))
    lost = set(diary.holds.items()) - set(holds.items())
    cancelled = {order for order in diary.called_off if states.get(order) == "cancelled"}
    broken = {order for order in diary.paid - cancelled if states.get(order) != "paid"}
    return Findings(
        kills=kills,
        holds=len(diary.holds),
        orders=len(diary.orders),
        paid=len(diary.paid),
        refused=diary.refused,
        faults=len(diary.faults),
        lost=len(lost) + len(set(diary.orders.items()) - set(orders.items())),
        broken=len(broken),
        oversold=await connection.fetchval(OVERSOLD),
        drift=await connection.fetchval(DRIFT),
        unbacked=await connection.fetchval(UNBACKED),
        owed_minor=abs(await connection.fetchval(OWED)),
    )
