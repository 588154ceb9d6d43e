"""A browser whose fake camera gives 30 frames a second, and a running server with a show."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest_asyncio
from playwright.async_api import Browser

from tests.bench.server import make_show
from tests.e2e.browser import chromium
from tests.e2e.server import Server, serving

CONNECTIONS: Final = httpx.Limits(max_connections=32)


@dataclass(frozen=True, slots=True)
class House:
    """A server, a client of its API, and a show there with its publish key."""

    server: Server
    http: httpx.AsyncClient
    show: str
    key: str


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with chromium("--use-fake-device-for-media-stream=fps=30") as browser:
        yield browser


@pytest_asyncio.fixture
async def house(migrated_dir: Path) -> AsyncIterator[House]:
    """A server of the test's own."""
    async with (
        serving(migrated_dir) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30, limits=CONNECTIONS) as http,
    ):
        yield House(server, http, *await make_show(http))
