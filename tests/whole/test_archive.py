"""What was said and acknowledged is in the archive once, whichever server is killed when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.core.events import Accepted
from chat.core.frames import unpack
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import Json, Person, Shop, open_shop, read, sign_up, visit

SPEAKERS = 8
AT_ONCE = 5
BEFORE_THE_KILL = 30
NO_PLACES: list[Json] = [
    *({"after": after} for after in ("x", "", "1." + "a" * 200, "9" * 19 + ".a", "1.\0")),
    *({"limit": limit} for limit in (0, 201, "many")),
    *({"from_ms": offset} for offset in (-1, 10**15)),
]
TEXTS = "SELECT text FROM chat_sayings WHERE show = $1"


@pytest_asyncio.fixture
async def lasting(
    redis_url: str, migrated_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A server whose stores outlive it."""
    stores = {"KKOT_REDIS_URL": redis_url, "KKOT_DATABASE_URL": migrated_url}
    server = Server(tmp_path_factory.mktemp("archive"), **stores)
    await server.start()
    yield server
    await server.close()


async def speak(server: Server, show: str, person: Person, shown: asyncio.Queue[str]) -> None:
    """Say so much as a viewer may at once; what was acknowledged is put into the queue."""
    async with visit(server, show, person.token, chance=lambda: 0.5) as visitor:
        for number in range(AT_ONCE):
            text = f"{person.id} {number}"
            answer = await visitor.room.say(text)
            assert isinstance(answer, Accepted)
            if answer.shown:
                shown.put_nowait(text)


async def test_what_a_killed_server_acknowledged_is_archived_once(
    lasting: Server, migrated_url: str, redis_url: str
) -> None:
    shop = await open_shop(lasting)
    people = [await sign_up(lasting) for _ in range(SPEAKERS)]
    shown: asyncio.Queue[str] = asyncio.Queue()
    speaking = [asyncio.create_task(speak(lasting, shop.show, each, shown)) for each in people]
    async with asyncio.timeout(PATIENCE_S):
        acknowledged = {await shown.get() for _ in range(BEFORE_THE_KILL)}
    await lasting.kill()
    for task in speaking:
        task.cancel()
    await asyncio.gather(*speaking, return_exceptions=True)
    while not shown.empty():
        acknowledged.add(shown.get_nowait())
    async with Redis.from_url(redis_url) as redis:
        kept: Any = await redis.xrange(redis_keys.talk(shop.show))
    in_the_store = {unpack(fields[b"said"])["text"] for _, fields in kept}
    assert acknowledged <= in_the_store
    await lasting.start()
    assert sorted(await archived(migrated_url, shop.show, in_the_store)) == sorted(in_the_store)


async def archived(database_url: str, show: str, wanted: set[str]) -> list[str]:
    """The texts of the show in the archive, once the wanted ones are there."""
    connection = await asyncpg.connect(database_url)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await connection.fetch(TEXTS, show)
                texts = [row["text"] for row in found]
                if wanted <= set(texts):
                    return texts
    finally:
        await connection.close()


async def texts(client: httpx.AsyncClient, path: str, *wanted: str, **query: Any) -> list[str]:
    """What a page of the archive has, once it has what is wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await client.get(path, params=query)
            if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                found = [each["text"] for each in (await read(answer))["messages"]]
                if set(wanted) <= set(found):
                    return found


async def test_while_postgres_is_away_talk_goes_on_and_is_archived_later(mortal: Server) -> None:
    shop = await open_shop(mortal)
    said = [str(number) for number in range(5)]
    async with visit(mortal, shop.show, shop.seller.token) as seller:
        postgres = mortal.store("postgres")
        postgres.suspend()
        try:
            for text in said:
                assert isinstance(await seller.room.say(text), Accepted)
        finally:
            postgres.kill()
        await mortal.ready()
    async with mortal.client() as client:
        assert await texts(client, f"/shows/{shop.show}/chat", *said) == said


@dataclass(frozen=True, slots=True)
class Case:
    """A show in which `bom` said three things, of which the second was deleted."""

    shop: Shop
    said: list[Json]
    clients: dict[str, httpx.AsyncClient]

    @property
    def moderation(self) -> str:
        """Where the seller moderates."""
        return f"/shows/{self.shop.show}/moderation"

    async def ask(self, who: str, whole: bool = False, **query: Any) -> httpx.Response:
        """Somebody asks for a page of the archive."""
        path = f"/shows/{self.shop.show}/{'moderation/' if whole else ''}chat"
        return await self.clients[who].get(path, params=query)


@pytest_asyncio.fixture
async def case(mortal: Server) -> AsyncIterator[Case]:
    """A case of its own on the module's server; `stranger` sells elsewhere."""
    shop, bom, elsewhere = (
        await open_shop(mortal),
        await sign_up(mortal, "봄"),
        await open_shop(mortal),
    )
    tokens = {"seller": shop.seller.token, "bom": bom.token, "guest": None}
    tokens["stranger"] = elsewhere.seller.token
    async with AsyncExitStack() as closing:
        clients = {
            who: await closing.enter_async_context(mortal.client(token))
            for who, token in tokens.items()
        }
        said = []
        async with visit(mortal, shop.show, bom.token) as visitor:
            for text in ("하나", "둘", "셋"):
                await visitor.room.say(text)
                said.append(await visitor.hears(lambda event: event["type"] == "said"))
        room = f"/shows/{shop.show}/moderation"
        await texts(clients["seller"], f"{room}/chat", "하나", "둘", "셋")
        deletion = {"message": said[1]["id"]}
        assert (await clients["seller"].post(f"{room}/delete", json=deletion)).is_success
        yield Case(shop, said, clients)


async def test_everybody_reads_what_the_room_was_shown(case: Case) -> None:
    first, _, last = case.said
    page = await read(await case.ask("guest", limit=1))
    assert page["began_at_ms"] is None
    assert page["messages"] == [
        {
            "id": first["id"],
            "from": {"buyer": False, "assistant": False} | first["from"],
            "text": "하나",
            "at_ms": first["at_ms"],
            "offset_ms": None,
            "reply_to": None,
            "deleted": False,
            "shadowed": False,
        }
    ]
    page = await read(await case.ask("guest", after=page["next"]))
    assert [each["id"] for each in page["messages"]] == [last["id"]]
    assert page["next"] is None


async def test_the_seller_reads_what_was_deleted_too(case: Case) -> None:
    page = await read(await case.ask("seller", whole=True))
    told = [(each["text"], each["deleted"]) for each in page["messages"]]
    assert told == [("하나", False), ("둘", True), ("셋", False)]
    author = case.said[0]["from"]["id"]
    assert len((await read(await case.ask("seller", True, author=author)))["messages"]) == 3
    assert (await read(await case.ask("seller", True, author="nobody")))["messages"] == []


async def test_others_do_not(case: Case) -> None:
    for who, status in {"guest": 401, "bom": 403, "stranger": 403}.items():
        assert (await case.ask(who, whole=True)).status_code == status, who
    for path in ("/shows/none/chat", "/shows/none/moderation/chat"):
        assert (await case.clients["seller"].get(path)).status_code == HTTPStatus.NOT_FOUND


async def test_who_wants_it_is_erased_and_nobody_else(case: Case) -> None:
    assert (await case.clients["guest"].delete("/me/chat")).status_code == HTTPStatus.UNAUTHORIZED
    assert (await read(await case.clients["stranger"].delete("/me/chat")))["messages"] == 0
    assert len((await read(await case.ask("guest")))["messages"]) == 2
    erased = await read(await case.clients["bom"].delete("/me/chat"))
    assert erased["messages"] == 3
    assert erased["account"] == case.said[0]["from"]["id"]
    again = await case.clients["bom"].delete("/me/chat")
    assert (again.status_code, again.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(again.headers["Retry-After"]) <= 60
    assert (await read(await case.ask("seller", whole=True)))["messages"] == []
    trail = (await read(await case.clients["seller"].get(case.moderation)))["trail"]
    assert [noted["deed"]["detail"] for noted in trail] == [""]


async def test_what_is_no_place_is_refused(case: Case) -> None:
    for query in NO_PLACES:
        for who, whole in (("guest", False), ("seller", True)):
            answer = await case.ask(who, whole, **query)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), query
