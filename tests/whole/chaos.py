"""Two servers of one shop, buyers after one hot product, a payment provider, and everything killed
in random order: servers, PostgreSQL, Valkey, the provider.

What was acknowledged its people write down; when all is quiet it is looked for in the database, and
units, money, points and coupons are counted anew.
"""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import psutil
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.adapters.database import Database
from cart.adapters.points_book import SqlPointsBook
from live.server.adapters.child import Child
from live.server.schema import make_engine
from live.server.settings import Settings
from live.server.stores import Stores, open_stores
from tests.bench.audience import passed
from tests.bench.fanout import token_of
from tests.e2e.server import migrate
from tests.standin import stripe, toss
from tests.standin.process import StandIn
from tests.whole.chaos_books import Books, quiet
from tests.whole.chaos_people import COUPON, Buyer, Diary, Seller
from tests.whole.server import Server
from tests.whole.shop import Shop, open_shop, read

NODES: Final = 2
VICTIMS: Final = NODES + 3
"""The servers, PostgreSQL, Valkey, and the provider."""
HOLD_SECONDS: Final = 12
"""Short, so that holds expire in the middle of it."""
PEACE_S: Final = (0.1, 1.0)
"""Between two kills."""
RIPE: Final = text("UPDATE point_earnings SET ripe_at = clock_timestamp() WHERE NOT ripe")
RIPEN_LIMIT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plan:
    """`seed`: the order of the kills and what people do. `stock`: units there are to be had."""

    buyers: int
    stock: int
    seconds: float
    seed: int


@asynccontextmanager
async def chaos(folder: Path, plan: Plan) -> AsyncIterator[Books]:
    """Let it all happen in the folder; the books of it, when all is quiet."""
    async with AsyncExitStack() as closing:
        stores = await closing.enter_async_context(open_stores(Settings(data_dir=folder / "s")))
        engine = make_engine(stores.database_url)
        closing.push_async_callback(engine.dispose)
        secret = secrets.token_urlsafe(32)
        servers, standin = await closing.enter_async_context(_house(folder, stores, secret))
        shop = await _open_shop(servers[0], plan)
        diary, trouble = Diary(), Trouble(plan, stores, servers, standin, engine)
        people: list[Buyer] = []
        for number in range(plan.buyers):
            client = await closing.enter_async_context(_client(token_of(secret, number)))
            around = (client, servers, diary, random.Random(f"{plan.seed} {number}"))
            where = (trouble.over, shop.product, standin.url)
            people.append(Buyer(f"bench-{number}", *around, *where))
        await asyncio.gather(*(person.buy_surely() for person in people))
        await ripen(engine)
        client = await closing.enter_async_context(_client(shop.seller.token))
        chance = random.Random(f"{plan.seed} seller")
        seller = Seller(shop.seller.id, client, servers, diary, chance, trouble.over)
        crowd: list[Buyer | Seller] = [*people, seller]
        async with asyncio.TaskGroup() as tasks:
            for person in crowd:
                tasks.create_task(person.run())
            await trouble.make()
        connection = await asyncpg.connect(stores.database_url)
        closing.push_async_callback(connection.close)
        await quiet(connection, standin)
        yield Books(connection, engine, standin, diary, trouble.kills)


class Trouble:
    """Kills everybody in turn, in an order drawn anew each time, while the plan lasts."""

    def __init__(
        self,
        plan: Plan,
        stores: Stores,
        servers: Sequence[Server],
        standin: StandIn,
        engine: AsyncEngine,
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._standin = standin
        self._done = False
        self.kills: Counter[str] = Counter()
        self._victims: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            *(("server", lambda one=server: _bounce(one)) for server in servers),
            *((name, lambda one=child: _kill(one)) for name, child in stores.embedded.items()),
            ("provider", lambda: _bounce(standin)),
        ]

    def over(self) -> bool:
        """Whether nobody will be killed any more."""
        return self._done

    async def make(self) -> None:
        """Kill until it has been long enough, each at least once."""
        chance, until = random.Random(self._plan.seed), time.monotonic() + self._plan.seconds
        while time.monotonic() < until or not self.kills:
            for name, kill in chance.sample(self._victims, len(self._victims)):
                await passed(chance.uniform(*PEACE_S))
                await kill()
                self.kills[name] += 1
            await ripen(self._engine)
        self._done = True


async def _bounce(victim: Server | StandIn) -> None:
    await victim.kill()
    await victim.start()


async def _kill(store: Child) -> None:
    async with store.restarted:
        psutil.Process(store.pid).kill()
        await store.restarted.wait()


async def ripen(engine: AsyncEngine) -> None:
    """The days are over after which points may be spent, if the database is there to be told."""
    with suppress(DBAPIError, OSError):
        async with engine.begin() as connection:
            await connection.execute(RIPE)
        await SqlPointsBook(Database(engine)).ripen(RIPEN_LIMIT)


def _client(token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(headers=headers, timeout=10, trust_env=False)


async def _open_shop(server: Server, plan: Plan) -> Shop:
    """A shop with a coupon, that gives as many points as it may."""
    shop = await open_shop(server, stock=plan.stock)
    coupon: dict[str, Any] = {"code": COUPON, "percent": 10, "uses_per_buyer": 10_000}
    async with server.client(shop.seller.token) as client:
        await read(await client.post(f"/stores/{shop.slug}/coupons", json=coupon))
        await read(await client.patch(f"/stores/{shop.slug}", json={"points_percent": 20}))
    return shop


@asynccontextmanager
async def _house(
    folder: Path, stores: Stores, secret: str
) -> AsyncIterator[tuple[list[Server], StandIn]]:
    """The servers, and the provider that both ask and that tells the first."""
    shared = {
        "KKOT_DATABASE_URL": stores.database_url,
        "KKOT_REDIS_URL": stores.redis_url,
        "KKOT_SECRET": secret,
        "KKOT_LOG_LEVEL": "warning",
        "KKOT_HOLD_SECONDS": str(HOLD_SECONDS),
    }
    await migrate(folder / "migration", shared)
    servers = [Server(folder / str(number), **shared) for number in range(NODES)]
    standin = StandIn(folder, servers[0].url)
    for server in servers:
        server.configure(
            KKOT_TOSS_SECRET_KEY=toss.SECRET_KEY,
            KKOT_TOSS_URL=standin.url,
            KKOT_STRIPE_SECRET_KEY=stripe.SECRET_KEY,
            KKOT_STRIPE_WEBHOOK_SECRET=stripe.WEBHOOK_SECRET,
            KKOT_STRIPE_URL=standin.url,
        )
    try:
        await asyncio.gather(standin.start(), *(server.start() for server in servers))
        yield servers, standin
    finally:
        await asyncio.gather(standin.kill(), *(server.close() for server in servers))
