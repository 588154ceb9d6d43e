"""A browser, a coturn that leads to Kkot and nowhere else, and a node with a show on the air."""

import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.bench.server import make_show
from tests.conftest import MakeFolder
from tests.e2e.browser import chromium
from tests.e2e.server import Server, serving
from tests.network.host import on_air
from tests.reach.coturn import ON_LOOPBACK, SECRET, Coturn, coturn
from tests.whole.server import free_port


@dataclass(frozen=True, slots=True)
class House:
    """A node whose show is on the air. `tcp_port`: its media port for ICE-TCP."""

    server: Server
    http: httpx.AsyncClient
    show: str
    key: str
    tcp_port: int


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="package")
async def turn(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Coturn]:
    """A TURN server that shares Kkot's secret."""
    async with coturn(tmp_path_factory.mktemp("turn"), more=ON_LOOPBACK) as server:
        yield server


@pytest_asyncio.fixture(scope="package")
async def house(turn: Coturn, migrated_dirs: MakeFolder) -> AsyncIterator[House]:
    """One node for all that only watch."""
    tcp_port = free_port(socket.SOCK_STREAM)
    settings = {
        "KKOT_MEDIA_TCP_PORT": str(tcp_port),
        "KKOT_TURN_URL": f"turn:{turn.host}:{turn.port}",
        "KKOT_TURN_SECRET": SECRET,
    }
    async with (
        serving(migrated_dirs(), settings) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as http,
    ):
        show, key = await make_show(http)
        async with on_air(http, show, key):
            yield House(server, http, show, key, tcp_port)
