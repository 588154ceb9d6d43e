"""What tests of a room are given: a small house, and one node of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chat.adapters import archive_tables, moderation_tables, question_tables
from chat.adapters.redis_bus import RedisBus, open_bus
from chat.adapters.redis_client import open_client
from tests.chat.house import House, Node, open_node
from tests.chat.street import Street, open_street


@pytest.fixture
def house() -> House:
    """A house with nothing changed."""
    return House()


@pytest_asyncio.fixture
async def node(redis_url: str, house: House) -> AsyncIterator[Node]:
    """One node."""
    async with open_node(redis_url, house) as node:
        yield node


@pytest_asyncio.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    """A client as the room opens it."""
    client = open_client(redis_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def bus(redis_url: str, client: Redis) -> AsyncIterator[RedisBus]:
    """A running bus."""
    async with open_bus(redis_url, client) as bus:
        yield bus


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """A database with an empty archive and trail."""
    engine = create_async_engine(database_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        for tables in (moderation_tables, archive_tables, question_tables):
            await connection.run_sync(tables.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def street(redis_url: str, database_url: str) -> AsyncIterator[Street]:
    """A street where `haru` moderates."""
    async with open_street(redis_url, database_url) as street:
        yield street
