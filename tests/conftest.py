"""Real stores for every test that wants them: started once, emptied for each test."""

import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings
from playwright.async_api import expect
from redis.asyncio import Redis

from live.server.schema import make_engine, migrate
from live.server.settings import Settings
from live.server.stores import Stores, open_stores
from tests.e2e.server import migrate as migrate_folder

MakeFolder = Callable[[], Path]

settings.register_profile("kkot", deadline=None)  # how long an example takes tells nothing here
settings.load_profile("kkot")
expect.set_options(timeout=30_000)  # a page is waited for as long on a busy machine as it takes


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the session's stores."""
    return tmp_path_factory.mktemp("kkot")


@pytest_asyncio.fixture(scope="session")
async def stores(data_dir: Path) -> AsyncIterator[Stores]:
    """PostgreSQL and Valkey, embedded, for the whole session; what they hold may be lost after."""
    async with open_stores(Settings(data_dir=data_dir)) as stores:
        await _without_waiting_for_the_disk(stores)
        yield stores


async def _without_waiting_for_the_disk(stores: Stores) -> None:
    """A database made and dropped for each test waits for the disk twice: most of its time."""
    connection = await asyncpg.connect(stores.database_url)
    await connection.execute("ALTER SYSTEM SET fsync = off")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@asynccontextmanager
async def copied(stores: Stores, template: str) -> AsyncIterator[str]:
    """A database of the test's own, a copy of another; its URL."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(stores.database_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield stores.database_url.replace("/kkot?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def database_url(stores: Stores) -> AsyncIterator[str]:
    """An empty PostgreSQL database of the test's own."""
    async with copied(stores, "template1") as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def migrated(stores: Stores) -> AsyncIterator[str]:
    """The name of a database with all tables and no rows, migrated once for all who copy it."""
    async with copied(stores, "template1") as url:
        engine = make_engine(url)
        await migrate(engine)
        await engine.dispose()
        yield str(engine.url.database)


@pytest_asyncio.fixture
async def migrated_url(stores: Stores, migrated: str) -> AsyncIterator[str]:
    """A database of the test's own, with all tables and no rows."""
    async with copied(stores, migrated) as url:
        yield url


@pytest_asyncio.fixture(scope="session")
async def migrated_dirs(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    """Makes data folders whose stores have all tables and no rows: copies of one `kkot migrate`."""
    migrated = tmp_path_factory.mktemp("migrated")
    await migrate_folder(migrated, {})

    def copy() -> Path:
        folder = tmp_path_factory.mktemp("node")
        subprocess.run(["cp", "-a", f"{migrated}/.", str(folder)], check=True)
        return folder

    return copy


@pytest.fixture
def migrated_dir(migrated_dirs: MakeFolder) -> Path:
    """A data folder of the test's own, with all tables and no rows."""
    return migrated_dirs()


@pytest_asyncio.fixture
async def redis_url(stores: Stores) -> str:
    """A Valkey with nothing in it."""
    async with Redis.from_url(stores.redis_url) as client:
        await client.flushall()
    return stores.redis_url
