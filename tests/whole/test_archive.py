"""What was said and acknowledged is in the archive once, whichever server is killed when."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from chat.adapters import redis_keys
from chat.core.events import Accepted
from chat.core.frames import unpack
from live.server.schema import make_engine, migrate
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import Person, open_shop, sign_up, visit

SPEAKERS = 8
AT_ONCE = 5
BEFORE_THE_KILL = 30
TEXTS = "SELECT text FROM chat_sayings WHERE show = $1"


@pytest_asyncio.fixture
async def server(
    redis_url: str, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A server whose stores outlive it."""
    engine = make_engine(database_url)
    await migrate(engine)
    await engine.dispose()
    stores = {"KKOT_REDIS_URL": redis_url, "KKOT_DATABASE_URL": database_url}
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
    server: Server, database_url: str, redis_url: str
) -> None:
    shop = await open_shop(server)
    people = [await sign_up(server) for _ in range(SPEAKERS)]
    shown: asyncio.Queue[str] = asyncio.Queue()
    speaking = [asyncio.create_task(speak(server, shop.show, each, shown)) for each in people]
    async with asyncio.timeout(PATIENCE_S):
        acknowledged = {await shown.get() for _ in range(BEFORE_THE_KILL)}
    await server.kill()
    for task in speaking:
        task.cancel()
    await asyncio.gather(*speaking, return_exceptions=True)
    while not shown.empty():
        acknowledged.add(shown.get_nowait())
    async with Redis.from_url(redis_url) as redis:
        kept: Any = await redis.xrange(redis_keys.talk(shop.show))
    in_the_store = {unpack(fields[b"said"])["text"] for _, fields in kept}
    assert acknowledged <= in_the_store
    await server.start()
    assert sorted(await archived(database_url, shop.show, in_the_store)) == sorted(in_the_store)


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
