"""Embedded stores: up, private, alone on their folder, back after SIGKILL."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from live.server.adapters.child import StoreError
from live.server.settings import Settings
from live.server.stores import Stores, open_stores


async def test_stores_answer(database_url: str, redis_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    assert str(await connection.fetchval("SHOW server_version")).startswith("18")
    await connection.close()
    async with Redis.from_url(redis_url) as client:
        info = await client.info("persistence")
    assert info["aof_enabled"] == 1


async def test_socket_is_private(stores: Stores) -> None:
    path = Path(stores.redis_url.removeprefix("unix://"))
    assert path.stat().st_mode & 0o777 == 0o600


async def test_second_server_on_the_same_folder_is_refused(stores: Stores, data_dir: Path) -> None:
    with pytest.raises(StoreError, match="in use by another server"):
        async with open_stores(Settings(data_dir=data_dir)):
            raise AssertionError("two servers on one folder")


@pytest.mark.parametrize("name", ["postgres", "valkey"])
async def test_store_comes_back_after_sigkill(name: str, tmp_path: Path) -> None:
    async with open_stores(Settings(data_dir=tmp_path)) as stores:
        child = stores.embedded[name]
        first = child.pid
        assert first is not None
        async with child.restarted:
            os.kill(first, signal.SIGKILL)
            async with asyncio.timeout(30):
                await child.restarted.wait_for(lambda: child.pid != first)
        assert child.pid != first
