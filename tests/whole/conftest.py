"""A running server, the same for all tests of a module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.conftest import MakeFolder
from tests.whole.server import Server


@pytest_asyncio.fixture(scope="module")
async def server(migrated_dirs: MakeFolder) -> AsyncIterator[Server]:
    """A running server, the same for all tests of a module."""
    server = Server(migrated_dirs())
    await server.start()
    yield server
    await server.close()


@pytest_asyncio.fixture
async def mortal(server: Server) -> Server:
    """The module's server, for a test that kills it; started again if the test before did not."""
    if not server.running:
        await server.start()
    return server
