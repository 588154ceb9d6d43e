"""A shop on a real database for every test that wants one."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from cart.adapters.schema import metadata
from tests.cart.shop import Shop, committing, make_shop


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with cart's tables."""
    url = database_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=8)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def shop(engine: AsyncEngine) -> AsyncIterator[Shop]:
    """A shop whose group commit runs; sweep, relay and settling are played by the test."""
    shop = make_shop(engine)
    async with committing(shop):
        yield shop
