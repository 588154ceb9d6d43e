"""Real stores for every test that wants them: started once, emptied for each test."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings
from playwright.async_api import expect
from redis.asyncio import Redis

from live.server.settings import Settings
from live.server.stores import Stores, open_stores

settings.register_profile("kkot", deadline=None)  # how long an example takes tells nothing here
settings.load_profile("kkot")
expect.set_options(timeout=30_000)  # a page is waited for as long on a busy machine as it takes


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the session's stores."""
    return tmp_path_factory.mktemp("kkot")


@pytest_asyncio.fixture(scope="session")
async def stores(data_dir: Path) -> AsyncIterator[Stores]:
    """PostgreSQL and Valkey, embedded, for the whole session."""
    async with open_stores(Settings(data_dir=data_dir)) as stores:
        yield stores


@pytest_asyncio.fixture
async def database_url(stores: Stores) -> AsyncIterator[str]:
    """An empty PostgreSQL database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(stores.database_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield stores.database_url.replace("/kkot?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def redis_url(stores: Stores) -> str:
    """A Valkey with nothing in it."""
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()
    return stores.redis_url
