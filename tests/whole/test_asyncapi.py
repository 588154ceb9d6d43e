"""A day in a room, heard by everybody in it: each frame is one that /asyncapi.json tells.

Nothing is told that the document does not name, and nothing named stays unheard.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import jsonschema_rs
import msgspec
import pytest_asyncio
from redis.asyncio import Redis
from websockets.asyncio.client import ClientConnection

from cart.code_sales import FRESH_S
from chat.adapters import redis_keys
from chat.core.commands import WantedLine
from chat.core.events import Accepted, Held, NotHeld, Refused
from chat.core.frames import Format
from live.demo.host import publish_demo
from tests.bench.audience import passed
from tests.whole.server import Server
from tests.whole.shop import (
    Json,
    Person,
    Shop,
    Visitor,
    hold,
    open_shop,
    order,
    pay,
    read,
    read_hold,
    sign_up,
    visit,
)

SCHEMAS: Final = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Day:
    """A show, those who are in its room, and what the seller and a viewer may do over HTTP."""

    server: Server
    redis: Redis
    shop: Shop
    people: dict[str, Person]
    visitors: dict[str, Visitor]
    frames: list[str | bytes]
    """Every frame any of them was told."""
    selling: httpx.AsyncClient
    buying: httpx.AsyncClient

    async def heard(self, kind: str, by: str = "seller", /, **members: Any) -> Json:
        """Wait until somebody hears such an event."""
        return await self.visitors[by].hears(
            lambda event: event["type"] == kind and members.items() <= event.items()
        )

    async def moderate(self, what: str, **body: Any) -> None:
        """The seller does something to the room."""
        path = f"/shows/{self.shop.show}/moderation{what}"
        method = "POST" if what else "PATCH"
        headers = {"Idempotency-Key": f"{what}{body}".encode().hex()[:64]}
        answer = await self.selling.request(method, path, json=body, headers=headers)
        assert answer.is_success


def recorded(frames: list[str | bytes]) -> dict[str, Any]:
    """Options of a visit whose frames are kept, as they came."""

    class Recorded(ClientConnection):
        async def recv(self, decode: bool | None = None) -> Any:
            """The next frame, kept."""
            frame = await super().recv(decode)
            frames.append(frame)
            return frame

    return {"create_connection": Recorded}


@pytest_asyncio.fixture
async def day(redis_url: str, migrated_dir: Path) -> AsyncIterator[Day]:
    """Seller, buyer, another viewer and a guest in the room of a show that sells two units."""
    server = Server(migrated_dir, KKOT_REDIS_URL=redis_url)
    frames: list[str | bytes] = []
    async with AsyncExitStack() as closing:
        closing.push_async_callback(server.close)
        await server.start()
        shop = await open_shop(server, stock=2)
        people = {"seller": shop.seller, "buyer": await sign_up(server)}
        people["other"] = await sign_up(server, "봄")
        enter = closing.enter_async_context
        visitors = {
            name: await enter(visit(server, shop.show, person.token, **recorded(frames)))
            for name, person in people.items()
        }
        json = recorded(frames) | {"wire": Format.JSON}
        visitors["guest"] = await enter(visit(server, shop.show, **json))
        redis = await enter(Redis.from_url(redis_url))
        selling = await enter(server.client(shop.seller.token))
        buying = await enter(server.client(people["buyer"].token))
        yield Day(server, redis, shop, people, visitors, frames, selling, buying)


async def talk(day: Day) -> None:
    """Everything about sayings: accepted, refused, answered by the assistant, thinned."""
    buyer, other = day.visitors["buyer"], day.visitors["other"]
    await buyer.room.heart(3)
    await day.heard("hearts", "guest", count=3)
    assert isinstance(await buyer.room.say(" "), Refused)
    assert isinstance(await buyer.room.say("재고 몇 개 남았어요?"), Accepted)
    question = await day.heard("said", text="재고 몇 개 남았어요?")
    await day.heard("said", "guest", reply_to=question["id"])
    await other.room.say("재고 몇 개 남았어요?")
    await day.heard("said", "other", private=True)
    before: dict[Any, Any] = {"second": "1", "said": "500", "shown": "200"}
    await day.redis.hset(redis_keys.budget(day.shop.show), mapping=before)
    await buyer.room.say("예뻐요")
    await day.heard("thinned", said=500, shown=200)
    said = await day.heard("said", text="예뻐요")
    await moderation(day, said["id"])


async def questions(day: Day) -> None:
    """A question about the product is answered."""
    other = day.visitors["other"].room
    said = await other.say("향이 나나요?", question=True, product=day.shop.product)
    assert isinstance(said, Accepted)
    question = (await day.heard("question"))["question"]
    path = f"/shows/{day.shop.show}/questions/{question['id']}/answer"
    await read(await day.selling.post(path, json={"text": "은은해요"}))
    await day.heard("answered", "guest", id=question["id"], answer="은은해요")


async def moderation(day: Day, message: str) -> None:
    """Everything that can be done to a saying, to a person and to the room."""
    buying, other = day.buying, day.people["other"].id
    report = {"message": message, "reason": "?"}
    path = f"/shows/{day.shop.show}/moderation/report"
    assert (await buying.post(path, json=report)).is_success
    reported = await day.heard("reported")
    await day.moderate("/settle", report=reported["report"]["id"])
    await day.heard("settled")
    await day.moderate("/pin", message=message)
    await day.heard("room", "guest")
    await day.moderate("", slow_s=60)
    await day.heard("room", slow_s=60)
    hasty = await day.visitors["buyer"].room.say("또 왔어요")
    assert isinstance(hasty, Refused)
    assert hasty.until_ms is not None
    await day.moderate("/delete", message=message)
    await day.heard("deleted", "guest", id=message)
    await day.moderate("/sanction", account=other, kind="mute", seconds=60)
    await day.heard("sanction", "other", kind="mute")
    assert (await day.buying.put(f"/stores/{day.shop.slug}/following")).is_success
    await day.heard("followed", "buyer", account=day.people["buyer"].id)
    place = f"/stores/{day.shop.slug}/moderators/{other}"
    assert (await day.selling.put(place)).is_success
    await day.heard("moderator", account=other)


async def waiting(day: Day) -> None:
    """Somebody waits for what is sold out, is offered it, and declines."""
    held = await read_hold(await hold(day.buying, day.shop.product, quantity=2))
    async with day.server.client(day.people["other"].token) as client:
        body, key = {"sku": day.shop.product, "show": day.shop.show}, {"Idempotency-Key": "w"}
        wait = await read(await client.post("/waits", json=body, headers=key))
        assert wait["place"] == 1
        await day.heard("waiting", sku=day.shop.product, waiting=1)
        assert (await day.buying.delete(f"/holds/{held['id']}")).is_success
        offered = await day.heard("offer", "other")
        assert offered["hold"]["id"] == wait["id"]
        assert (await client.delete(f"/waits/{wait['id']}")).is_success
        await day.heard("wait", "other", state="declined")


async def selling(day: Day) -> None:
    """A price is changed, and both units are sold."""
    product = day.shop.product
    edit = {"price_minor": 9_000}
    await read(await day.selling.patch(f"/products/{product}", json=edit))
    await day.heard("price", "guest", price_minor=9_000)
    room = day.visitors["buyer"].room
    assert isinstance(await room.hold([WantedLine(product, 3)]), NotHeld)
    held = await room.hold([WantedLine(product, 2)])
    assert isinstance(held, Held)
    placed = await order(day.buying, held.holds[0]["id"])
    await pay(day.buying, placed["id"])
    await day.heard("sold_out", "guest")
    await day.visitors["seller"].hears(
        lambda event: event["type"] == "order" and event["order"]["state"] == "paid"
    )
    await day.moderate("", slow_s=0)
    await day.heard("room", "buyer", slow_s=0)
    assert isinstance(await day.visitors["buyer"].room.say("샀어요"), Accepted)
    assert (await day.heard("said", text="샀어요"))["from"]["buyer"] is True


async def refunds(day: Day) -> None:
    """One of the two is given back."""
    (bought,) = (await read(await day.buying.get("/orders")))["orders"]
    body = {"lines": [{"line": 0, "quantity": 1}], "reason": "시든 꽃"}
    key = {"Idempotency-Key": "r"}
    await read(await day.selling.post(f"/orders/{bought['id']}/refunds", json=body, headers=key))
    await day.heard("refund", "buyer", state="done", amount_minor=9_000)
    await day.heard("refund", "seller", state="done")


async def deals(day: Day) -> None:
    """A drop is announced; somebody says a code, and hears that it is sold out."""
    product = day.shop.product
    for opened in (False, True):
        switch = {"open": opened}
        await read(await day.selling.put(f"/shows/{day.shop.show}/codes", json=switch))
        await day.heard("codes", "guest", open=opened)
    coded = {"skus": [{"id": product, "code": "꽃1"}]}
    await read(await day.selling.patch(f"/products/{product}", json=coded))
    drop = {
        "product": product,
        "kind": "flash",
        "percent_off": 50,
        "units": 2,
        "length_s": 60,
        "starts_in_s": 30,
    }
    path = f"/shows/{day.shop.show}/deals"
    made = await read(await day.selling.post(path, json=drop, headers={"Idempotency-Key": "drop"}))
    told = await day.heard("deal", "guest")
    assert told["deal"] == made
    assert made["starts_at_ms"] > told["now_ms"]
    await passed(FRESH_S)
    assert isinstance(await day.visitors["buyer"].room.say("꽃 1 x2"), Accepted)
    heard = await day.heard("code", "buyer", outcome="sold_out", quantity=2)
    assert (heard["code"], heard["hold"]) == ("꽃1", None)


async def auctions(day: Day) -> None:
    """Somebody is outbid; the auction ends in five seconds, and its winner gives the lot back."""
    path, key = f"/shows/{day.shop.show}/auctions", {"Idempotency-Key": "auction"}
    chosen = {"sku": day.shop.product, "start_minor": 1_000, "length_s": 5, "sudden_death": True}
    auction = await read(await day.selling.post(path, json=chosen, headers=key))
    async with day.server.client(day.people["other"].token) as client:
        for bidder, amount_minor in ((day.buying, 1_000), (client, 2_000)):
            said = {"amount_minor": amount_minor}
            path = f"/auctions/{auction['id']}/bids"
            await read(await bidder.post(path, json=said, headers=key))
    outbid = await day.heard("bidding", "buyer", auction=auction["id"])
    assert outbid["own"] == {"standing": "outbid", "max_minor": 1_000, "hold": None}
    won = await day.visitors["other"].hears(
        lambda event: event["type"] == "bidding" and event["own"]["standing"] == "won"
    )
    async with day.server.client(day.people["other"].token) as client:
        assert (await client.delete(f"/holds/{won['own']['hold']}")).is_success
    await day.visitors["guest"].hears(
        lambda event: event["type"] == "auction" and event["auction"]["state"] == "unsold"
    )


async def media(day: Day) -> None:
    """Two programs publish the show one after the other; then it ends."""
    path = f"/shows/{day.shop.show}"
    key = (await read(await day.selling.post(f"{path}/publish-key")))["key"]
    publish = asyncio.create_task(publish_demo(day.server.url, day.shop.show, key))
    await day.heard("on_air", "guest", on_air=True)
    await deals(day)
    await day.heard("media")
    newer = asyncio.create_task(publish_demo(day.server.url, day.shop.show, key))
    await day.heard("taken_over")
    for task in (publish, newer):
        task.cancel()
    await asyncio.wait([publish, newer])
    await read(await day.selling.post(f"{path}/pin", json={"product": None}))
    await day.heard("pin", "guest", product=None)
    await read(await day.selling.post(f"{path}/end"))


def strict(schemas: Json) -> Json:
    """The document's schemas, allowing nothing they do not name."""
    return {
        name: schema | ({"additionalProperties": False} if "properties" in schema else {})
        for name, schema in schemas.items()
    }


def members(schemas: Json) -> Iterator[tuple[str, str]]:
    """Kind and name of every member that is told of events."""
    for each in schemas["Frame"]["items"]["oneOf"]:
        properties = schemas[each["$ref"].removeprefix(SCHEMAS)]["properties"]
        (kind,) = properties["type"]["enum"]
        yield from ((kind, name) for name in properties)


async def test_every_frame_of_a_day_is_told_and_all_that_is_told_is_heard(day: Day) -> None:
    async with day.server.client() as client:
        schemas = (await read(await client.get("/asyncapi.json")))["components"]["schemas"]
    frame = jsonschema_rs.validator_for(
        {"$ref": f"{SCHEMAS}Frame", "components": {"schemas": strict(schemas)}}
    )
    await auctions(day)
    await questions(day)
    await talk(day)
    await waiting(day)
    await selling(day)
    await refunds(day)
    await media(day)
    for name in day.visitors:
        await day.heard("ended", name)
    frames = [
        msgspec.json.decode(each) if isinstance(each, str) else msgspec.msgpack.decode(each)
        for each in day.frames
    ]
    assert {type(each) for each in day.frames} == {str, bytes}
    for each in frames:
        frame.validate(each)
    events = [event for each in frames for event in each]
    assert {(event["type"], name) for event in events for name in event} == set(members(schemas))
    unnumbered = {
        event["type"]
        for event in events
        if lane(schemas, event["type"]) == "shop" and "offset" not in event
    }
    assert unnumbered == set()


def lane(schemas: Json, kind: str) -> str:
    """The lane that is told of a kind."""
    lanes = {
        schema["properties"]["type"]["enum"][0]: schema["x-lane"]
        for schema in schemas.values()
        if "x-lane" in schema
    }
    return str(lanes[kind])
