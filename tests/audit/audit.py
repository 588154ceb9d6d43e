"""Three servers of one service, many viewers, a shop that sells, people who talk, and trouble.

Subscriptions are cut, one server is killed and comes back, and Valkey is killed, which begins a
new epoch. Afterwards every viewer must know each product as the database has it.
"""

import asyncio
import itertools
import math
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import psutil
from redis.asyncio import Redis

from live.server.settings import Settings
from live.server.stores import Stores, open_stores
from tests.audit.witness import Witness, Witnesses
from tests.bench.audience import passed
from tests.bench.fanout import SAID_BY_ONE_PER_S, TEXT, beats, token_of
from tests.bench.room import command
from tests.e2e.server import migrate
from tests.whole.server import Server
from tests.whole.shop import Shop, open_shop, read

NODES: Final = 3
PRODUCTS: Final = 20
EVENTS_OF_AN_EDIT: Final = 2
"""The product as it is now, and its price."""
KILLED_AT: Final = 0.25
BACK_AT: Final = 0.4
VALKEY_KILLED_AT: Final = 0.65
"""Of the time that there is trouble."""
SETTLE_WITHIN_S: Final = 60.0
LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """`cuts`: how often all subscriptions are cut."""

    viewers: int
    messages_per_s: int
    shop_events_per_s: int
    seconds: float
    cuts: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the viewers wrote down, and what was done to them.

    `missing`, `repeated`, `outdated`: shop events, over all viewers. `stale`: products that a
    viewer does not know as they are in the end, over all viewers. `said`: sayings that were sent;
    `shown`: answered so. `unheard`: those shown that a viewer whose connection held did not get.
    """

    viewers: int
    edits: int
    told: int
    missing: int
    repeated: int
    outdated: int
    stale: int
    away: int
    dismissed: int
    came_back: int
    began_anew: int
    cut: int
    said: int
    shown: int
    unanswered: int
    held: int
    unheard: int


@dataclass(slots=True)
class _Seller:
    """Edits one product after another, at any server that answers, until it is over."""

    shop: Shop
    products: Sequence[str]
    servers: Sequence[Server]
    per_s: float
    edits: int = 0
    over: bool = False

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            async for number in beats(1 / self.per_s):
                if self.over:
                    break
                await self._edit(client, self.products[number % len(self.products)], number)
            for product in self.products:
                await self._edit(client, product, 0)

    async def _edit(self, client: httpx.AsyncClient, product: str, number: int) -> None:
        self.edits += 1
        body = {"price_minor": 10_000 + number}
        headers = {"Authorization": f"Bearer {self.shop.seller.token}"}
        for server in itertools.cycle(random.sample(self.servers, len(self.servers))):
            try:
                answer = await client.patch(
                    f"{server.url}/products/{product}", json=body, headers=headers
                )
            except httpx.TransportError:
                continue
            if answer.is_success:
                return


@dataclass(slots=True)
class _Talk:
    """The first of the viewers say something in turn; who is on the way back says nothing."""

    witnesses: Witnesses
    speakers: int
    per_s: int
    said: set[int] = field(default_factory=set)
    over: bool = False

    async def run(self) -> None:
        async for number in beats(1 / self.per_s):
            if self.over:
                return
            speaker = self.witnesses.everybody[number % self.speakers]
            if speaker.socket.fileno() < 0:
                continue
            try:
                speaker.socket.send(command(type="say", id=str(number), text=f"{number} {TEXT}"))
            except OSError:
                continue
            self.said.add(number)


async def audit(folder: Path, plan: Plan) -> Findings:
    """Run the servers and stores in the folder, let it all happen, and tell what came of it."""
    async with AsyncExitStack() as closing:
        stores = await closing.enter_async_context(open_stores(Settings(data_dir=folder / "s")))
        secret = secrets.token_urlsafe(32)
        servers = await closing.enter_async_context(_nodes(folder, stores, secret))
        shop = await open_shop(servers[0])
        products = [shop.product, *await _more(servers[0], shop, PRODUCTS - 1)]
        urls = [server.url for server in servers]
        witnesses = Witnesses(urls, shop.show, random.Random(7))
        witnesses.watch()
        closing.callback(witnesses.leave)
        speakers = min(plan.viewers, math.ceil(plan.messages_per_s / SAID_BY_ONE_PER_S))
        tokens = [token_of(secret, number) for number in range(speakers)]
        await witnesses.invite(tokens + [None] * (plan.viewers - speakers))
        seller = _Seller(shop, products, servers, plan.shop_events_per_s / EVENTS_OF_AN_EDIT)
        talk = _Talk(witnesses, speakers, plan.messages_per_s)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(seller.run())
            tasks.create_task(talk.run())
            cut = await _trouble(plan, stores, servers)
            seller.over = talk.over = True
        versions = await _versions(servers[0], shop)
        await _settle(witnesses, versions)
        return _found(witnesses, versions, seller.edits, cut, talk.said)


@asynccontextmanager
async def _nodes(folder: Path, stores: Stores, secret: str) -> AsyncIterator[list[Server]]:
    shared = {
        "KKOT_DATABASE_URL": stores.database_url,
        "KKOT_REDIS_URL": stores.redis_url,
        "KKOT_SECRET": secret,
        "KKOT_LOG_LEVEL": "warning",
    }
    await migrate(folder / "migration", shared)
    servers = [Server(folder / str(number), **shared) for number in range(NODES)]
    try:
        for server in servers:
            await server.start()
        yield servers
    finally:
        for server in servers:
            await server.close()


async def _more(server: Server, shop: Shop, count: int) -> list[str]:
    made = []
    async with server.client(shop.seller.token) as client:
        for number in range(count):
            body = {"title": f"꽃 {number}", "price_minor": 10_000, "stock": 10}
            key = {"Idempotency-Key": f"more-{number}"}
            answer = await client.post(f"/stores/{shop.slug}/products", json=body, headers=key)
            made.append((await read(answer))["id"])
    return made


async def _trouble(plan: Plan, stores: Stores, servers: Sequence[Server]) -> int:
    """All of it, at its times; how many subscriptions were cut."""
    cut = 0

    async def cut_subscriptions() -> None:
        nonlocal cut
        async with Redis.from_url(stores.redis_url) as client:
            cut += int(await client.client_kill_filter(_type="pubsub"))

    async def kill_valkey() -> None:
        valkey = stores.embedded["valkey"]
        async with valkey.restarted:
            psutil.Process(valkey.pid).kill()
            await valkey.restarted.wait()

    steps: list[tuple[float, Callable[[], Awaitable[None]]]] = [
        (KILLED_AT, servers[-1].kill),
        (BACK_AT, servers[-1].start),
        (VALKEY_KILLED_AT, kill_valkey),
        *(((n + 0.5) / plan.cuts, cut_subscriptions) for n in range(plan.cuts)),
    ]
    began = time.monotonic()

    async def take(at: float, step: Callable[[], Awaitable[None]]) -> None:
        await passed(began + at * plan.seconds - time.monotonic())
        await step()

    async with asyncio.TaskGroup() as taken:
        for at, step in steps:
            taken.create_task(take(at, step))
        await passed(plan.seconds)
    return cut


async def _versions(server: Server, shop: Shop) -> dict[str, int]:
    async with server.client() as client:
        answer = await read(await client.get(f"/stores/{shop.slug}/products"))
    return {product["id"]: product["version"] for product in answer["products"]}


async def _settle(witnesses: Witnesses, versions: dict[str, int]) -> None:
    """Until everybody is there and knows everything, or long enough."""
    until = time.monotonic() + SETTLE_WITHIN_S
    while time.monotonic() < until:
        knowing = all(witness.known == versions for witness in witnesses.everybody)
        if knowing and not witnesses.away:
            return
        await passed(LOOK_EVERY_S)


def _found(
    witnesses: Witnesses, versions: dict[str, int], edits: int, cut: int, said: set[int]
) -> Findings:
    everybody = witnesses.everybody
    shown = [n for n in said if witnesses.answers.get(str(n)) is True]
    held = [witness for witness in everybody if witness.visits == 1]
    return Findings(
        viewers=len(everybody),
        edits=edits,
        told=sum(witness.told for witness in everybody),
        missing=sum(witness.missing for witness in everybody),
        repeated=sum(witness.repeated for witness in everybody),
        outdated=sum(witness.outdated for witness in everybody),
        stale=sum(_stale(witness, versions) for witness in everybody),
        away=witnesses.away,
        dismissed=witnesses.dismissed,
        came_back=sum(witness.visits - 1 for witness in everybody),
        began_anew=sum(witness.anew for witness in everybody),
        cut=cut,
        said=len(said),
        shown=len(shown),
        unanswered=sum(str(n) not in witnesses.answers for n in said),
        held=len(held),
        unheard=sum(n >= len(w.heard) or not w.heard[n] for w in held for n in shown),
    )


def _stale(witness: Witness, versions: dict[str, int]) -> int:
    return sum(witness.known.get(product) != version for product, version in versions.items())
