"""A client through the death of its server: what was told meanwhile it gets, each event once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from redis.asyncio import Redis

from chat.adapters.redis_bus import open_bus
from chat.core.addressee import EVERYBODY
from chat.core.events import Accepted
from chat.core.frames import pack
from tests.whole.server import PATIENCE_S, Server
from tests.whole.shop import Json, open_shop, visit


@pytest_asyncio.fixture
async def server(redis_url: str, migrated_dir: Path) -> AsyncIterator[Server]:
    """A server whose Valkey outlives it."""
    server = Server(migrated_dir, KKOT_REDIS_URL=redis_url)
    await server.start()
    yield server
    await server.close()


async def test_nothing_of_the_time_without_a_server_is_missed_or_doubled(
    server: Server, redis_url: str
) -> None:
    shop = await open_shop(server)
    numbers: list[int] = []
    recovered: list[bool] = []

    async def publish(begin: int) -> None:
        async with Redis.from_url(redis_url) as client, open_bus(redis_url, client) as bus:
            for number in range(begin, begin + 50):
                event = pack({"type": "note", "n": number})
                await bus.publish(shop.show, event, EVERYBODY, None)

    def last(event: Json) -> bool:
        if event["type"] == "welcome":
            recovered.append(event["recovered"])
        if event["type"] == "note":
            numbers.append(event["n"])
        return numbers[-1:] == [149]

    token = shop.seller.token
    async with visit(server, shop.show, token, chance=lambda: 0.5) as visitor:
        await publish(0)
        await server.kill()
        saying = asyncio.create_task(visitor.room.say("아직 계세요?"))
        await publish(50)
        await server.start()
        await publish(100)
        await visitor.hears(last)
        answer = await asyncio.wait_for(saying, PATIENCE_S)
    assert isinstance(answer, Accepted)
    assert recovered == [True]
    assert numbers == [*range(150)]
