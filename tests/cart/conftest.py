"""A shop on a real database for every test that wants one."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.cart.shop import Shop, committing, make_shop


@pytest_asyncio.fixture
async def engine(migrated_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a database with all tables."""
    url = migrated_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url, pool_size=8)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def shop(engine: AsyncEngine) -> AsyncIterator[Shop]:
    """A shop whose group commit runs; sweep, relay and settling are played by the test."""
    shop = make_shop(engine)
    async with committing(shop):
        yield shop
