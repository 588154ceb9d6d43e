"""A shop made through the API like anybody's: people, a product on sale, a show, its room."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from chat.client import RoomClient, open_room
from tests.whole.server import PATIENCE_S, Server

PASSWORD: Final = "correct horse battery"
PRICE_MINOR: Final = 12_000
RECIPIENT: Final = {
    "name": "김하늘",
    "phone": "010-1234-5678",
    "postcode": "03187",
    "address": "서울시 종로구 1",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, signed in."""

    id: str
    token: str
    email: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A seller's store with one product and one show."""

    seller: Person
    slug: str
    product: str
    show: str


async def read(answer: httpx.Response) -> Json:
    """The JSON of an answer that must be a good one."""
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}"
    found: Json = answer.json()
    return found


async def sign_up(server: Server, name: str = "하늘") -> Person:
    """Make an account with an address of its own."""
    email = f"{secrets.token_hex(6)}@example.com"
    async with server.client() as client:
        body = {"email": email, "password": PASSWORD, "name": name}
        made = await read(await client.post("/accounts", json=body))
    return Person(made["account"]["id"], made["access_token"], email)


async def open_shop(server: Server, stock: int = 1_000) -> Shop:
    """A store, a product of so many units, and a scheduled show that pins it."""
    seller = await sign_up(server, "꽃집")
    slug = f"flowers-{secrets.token_hex(4)}"
    async with server.client(seller.token) as client:
        await read(await client.post("/stores", json={"slug": slug, "name": "꽃집", "story": ""}))
        product = await read(
            await client.post(
                f"/stores/{slug}/products",
                json={"title": "작약", "price_minor": PRICE_MINOR, "stock": stock},
                headers={"Idempotency-Key": "peony"},
            )
        )
        show = await read(await client.post("/shows", json={"store": slug, "title": "오늘의 꽃"}))
        await read(await client.post(f"/shows/{show['id']}/pin", json={"product": product["id"]}))
    return Shop(seller, slug, product["id"], show["id"])


async def hold(
    client: httpx.AsyncClient, sku: str, key: str | None = None, quantity: int = 1
) -> httpx.Response:
    """Ask for units of one SKU; the id of a product without options is its SKU's."""
    return await client.post(
        "/holds",
        json=take(sku, quantity),
        headers={"Idempotency-Key": key or secrets.token_hex(8)},
    )


def take(sku: str, quantity: int = 1) -> Json:
    """What asks for units of one SKU."""
    return {"lines": [{"sku": sku, "quantity": quantity}]}


async def read_hold(answer: httpx.Response) -> Json:
    """The one hold of an answer that must be a good one."""
    (held,) = (await read(answer))["holds"]
    found: Json = held
    return found


async def order(client: httpx.AsyncClient, held: str) -> Json:
    """Place an order from a hold."""
    quote = await read(await client.post("/quotes", json={"holds": [held]}))
    body = {"holds": [held], "recipient": RECIPIENT, "total_minor": quote["total_minor"]}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    return await read(await client.post("/orders", json=body, headers=key))


async def pay(client: httpx.AsyncClient, placed: str) -> Json:
    """Approve the order's payment on the sandbox's page; the order afterwards."""
    redirect = (await read(await client.post(f"/orders/{placed}/pay")))["redirect"]
    approved = await client.post(f"{redirect}/approve")
    assert approved.status_code == httpx.codes.SEE_OTHER
    return await read(await client.post(f"/orders/{placed}/confirm"))


class Visitor:
    """Somebody in a show's room."""

    def __init__(self, room: RoomClient) -> None:
        self.room = room

    async def hears(self, wanted: Callable[[Json], bool]) -> Json:
        """The next event that is wanted; those before it are forgotten."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in self.room:
                if wanted(event):
                    return event
        raise AssertionError("the visit was over first")


@asynccontextmanager
async def visit(
    server: Server, show: str, token: str | None = None, **options: Any
) -> AsyncIterator[Visitor]:
    """Enter a show's room and be welcomed; a visitor that is cut off fails the test.

    `options`: as `open_room` takes them; with a `chance` a visitor comes back instead.
    """
    url = f"{server.url.replace('http', 'ws')}/shows/{show}/events"
    options = {"chance": _cut_off, "proxy": None} | options
    async with open_room(url, token=token, **options) as room:
        visitor = Visitor(room)
        await visitor.hears(lambda event: event["type"] == "welcome")
        yield visitor


def _cut_off() -> float:
    raise AssertionError("a visitor was cut off")
