"""One server for all foreign peers, one Firefox, and visitors in Chromium."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import pytest_asyncio

from tests.e2e.conftest import Visit, browser, visit
from tests.e2e.server import Server, serving
from tests.interop.firefox import Firefox, Tab, running
from tests.interop.show import Show, make_show

__all__ = ["Visit", "browser", "visit"]

Open = Callable[[str], Awaitable[Tab]]


@pytest_asyncio.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A running node."""
    async with serving(tmp_path_factory.mktemp("interop") / "node") as server:
        yield server


@pytest_asyncio.fixture
async def show(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Show]:
    """A show of the test's own that can be published."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as http:
        yield await make_show(http, request.node.name)


@pytest_asyncio.fixture(scope="session")
async def firefox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    """The system's Firefox."""
    async with running(tmp_path_factory.mktemp("firefox") / "profile") as firefox:
        yield firefox


@pytest_asyncio.fixture
async def open_tab(firefox: Firefox) -> AsyncIterator[Open]:
    """Open a URL in Firefox as somebody new; tabs are closed when the test is over."""
    tabs = []

    async def open_tab(url: str) -> Tab:
        tabs.append(await firefox.open(url))
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        await tab.close()
