"""Each way the shop says no: problem+json of a stable type."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import httpx
import pytest_asyncio

from tests.bench.audience import passed
from tests.e2e.server import sharing
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import (
    PRICE_MINOR,
    RECIPIENT,
    Shop,
    hold,
    open_shop,
    order,
    read,
    read_hold,
    sign_up,
)

STOCK: Final = 20
LIMIT: Final = 2
NOBODYS: Final = "nobodys-thing"
STATE: Final = "SELECT state FROM holds WHERE id = $1"
LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Scene:
    """A shop, a product of it of which nobody may have many, and two buyers at its server."""

    server: Server
    database_url: str
    shop: Shop
    rare: str
    buying: httpx.AsyncClient
    other: httpx.AsyncClient
    nobody: httpx.AsyncClient

    async def held(self) -> str:
        """A hold of the buyer's."""
        found: str = (await read_hold(await hold(self.buying, self.shop.product)))["id"]
        return found

    async def expired(self) -> str:
        """A hold of the buyer's whose time has passed, as the sweep has noticed."""
        held = await self.held()
        connection = await asyncpg.connect(self.database_url)
        await connection.execute(
            "UPDATE holds SET expires_at = now() - interval '1 minute' WHERE id = $1", held
        )
        async with asyncio.timeout(PATIENCE_S):
            while await connection.fetchval(STATE, held) != "expired":
                await passed(LOOK_EVERY_S)
        await connection.close()
        return held


@pytest_asyncio.fixture
async def scene(tmp_path: Path, migrated_url: str, redis_url: str) -> AsyncIterator[Scene]:
    """The scene of all refusals."""
    shared = sharing(migrated_url, redis_url)
    server = Server(tmp_path / "server", **shared)
    await server.start()
    shop = await open_shop(server, STOCK)
    buyer, other = await sign_up(server), await sign_up(server)
    async with (
        server.client(shop.seller.token) as selling,
        server.client(buyer.token) as buying,
        server.client(other.token) as others,
        server.client() as nobody,
    ):
        ware = {"title": "모란", "price_minor": 1, "stock": STOCK, "limit_per_buyer": LIMIT}
        path = f"/stores/{shop.slug}/products"
        rare = (await read(await selling.post(path, json=ware, headers=RARE)))["id"]
        yield Scene(server, migrated_url, shop, rare, buying, others, nobody)
    await server.close()


RARE: Final = {"Idempotency-Key": "rare"}
Refused = Callable[[Scene], Awaitable[httpx.Response]]


async def lines(client: httpx.AsyncClient, key: str, **line: object) -> httpx.Response:
    """Ask for one line, of whatever form."""
    return await client.post("/holds", json={"lines": [line]}, headers={"Idempotency-Key": key})


async def another_price(scene: Scene) -> httpx.Response:
    return await lines(scene.buying, "p", sku=scene.shop.product, price_minor=PRICE_MINOR - 1)


async def the_key_of_something_else(scene: Scene) -> httpx.Response:
    await read(await hold(scene.buying, scene.shop.product, "the-same"))
    return await hold(scene.buying, scene.shop.product, "the-same", quantity=2)


async def an_expired_hold_back(scene: Scene) -> httpx.Response:
    return await scene.buying.delete(f"/holds/{await scene.expired()}")


async def an_order_of(
    client: httpx.AsyncClient, held: str, key: str, **wish: object
) -> httpx.Response:
    body = {"holds": [held], "recipient": RECIPIENT, "total_minor": PRICE_MINOR, **wish}
    return await client.post("/orders", json=body, headers={"Idempotency-Key": key})


async def an_order_of_an_expired_hold(scene: Scene) -> httpx.Response:
    return await an_order_of(scene.buying, await scene.expired(), "late")


async def an_order_of_another_s_hold(scene: Scene) -> httpx.Response:
    return await an_order_of(scene.other, await scene.held(), "theirs")


async def an_order_s_key_again(scene: Scene) -> httpx.Response:
    await read(await an_order_of(scene.buying, await scene.held(), "once"))
    return await an_order_of(scene.buying, await scene.held(), "once")


async def an_order_at_another_total(scene: Scene) -> httpx.Response:
    return await an_order_of(scene.buying, await scene.held(), "sum", total_minor=PRICE_MINOR - 1)


async def an_order_with_a_coupon_that_is_none(scene: Scene) -> httpx.Response:
    return await an_order_of(scene.buying, await scene.held(), "coupon", coupon="NOPE")


async def an_order_with_points_that_are_none(scene: Scene) -> httpx.Response:
    return await an_order_of(scene.buying, await scene.held(), "points", points_minor=1)


async def another_s_hold_back(scene: Scene) -> httpx.Response:
    return await scene.other.delete(f"/holds/{await scene.held()}")


async def an_ordered_hold_back(scene: Scene) -> httpx.Response:
    held = await scene.held()
    await order(scene.buying, held)
    return await scene.buying.delete(f"/holds/{held}")


async def another_s_order(scene: Scene) -> httpx.Response:
    placed = await order(scene.buying, await scene.held())
    return await scene.other.get(f"/orders/{placed['id']}")


REFUSALS: Final[list[tuple[str, Refused, int, str]]] = [
    ("sold out", lambda s: hold(s.buying, s.shop.product, quantity=STOCK + 1), 409, "sold_out"),
    ("limit", lambda s: hold(s.buying, s.rare, quantity=LIMIT + 1), 409, "limit_reached"),
    ("price", another_price, 409, "price_changed"),
    ("total", an_order_at_another_total, 409, "price_changed"),
    ("coupon", an_order_with_a_coupon_that_is_none, 409, "coupon_refused"),
    ("points", an_order_with_points_that_are_none, 409, "not_enough_points"),
    ("no SKU", lambda s: hold(s.buying, NOBODYS), 404, "not_found"),
    ("key reused", the_key_of_something_else, 409, "idempotency_mismatch"),
    ("no key", lambda s: s.buying.post("/holds", json={}), 400, "idempotency_key"),
    ("nobody", lambda s: hold(s.nobody, s.shop.product), 401, "sign_in"),
    ("none", lambda s: hold(s.buying, s.shop.product, quantity=0), 422, "invalid"),
    ("expired", an_expired_hold_back, 410, "hold_expired"),
    ("expired, ordered", an_order_of_an_expired_hold, 410, "hold_expired"),
    ("not the owner's hold", another_s_hold_back, 404, "not_found"),
    ("not the owner's order", an_order_of_another_s_hold, 404, "not_found"),
    ("not the owner looks", another_s_order, 404, "not_found"),
    ("not the seller", lambda s: s.other.patch(f"/products/{s.rare}", json={}), 403, "forbidden"),
    ("ordered already", an_ordered_hold_back, 409, "conflict"),
    ("order's key reused", an_order_s_key_again, 409, "idempotency_mismatch"),
]


async def test_each_refusal_is_a_problem_of_a_stable_type(scene: Scene) -> None:
    told = {}
    for name, refused, _, _ in REFUSALS:
        answer = await refused(scene)
        kind, body = answer.headers["content-type"], answer.json()
        told[name] = (answer.status_code, kind, body.get("type"), body.get("status"))
        assert body.get("title"), name
    assert told == {
        name: (status, "application/problem+json", f"urn:kkot:problem:{code}", status)
        for name, _, status, code in REFUSALS
    }
    await _what_is_asked_again_is_answered_again(scene)


async def _what_is_asked_again_is_answered_again(scene: Scene) -> None:
    first = await read(await hold(scene.buying, scene.rare, "again"))
    again = await read(await hold(scene.buying, scene.rare, "again"))
    assert again["holds"][0]["id"] == first["holds"][0]["id"]
    held = await scene.held()
    placed = await read(await an_order_of(scene.buying, held, "again"))
    assert (await read(await an_order_of(scene.buying, held, "again")))["id"] == placed["id"]
