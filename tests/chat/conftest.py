"""What tests of a room are given: a small house, and one node of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chat.house import House, Node, open_node


@pytest.fixture
def house() -> House:
    """A house with nothing changed."""
    return House()


@pytest_asyncio.fixture
async def node(redis_url: str, house: House) -> AsyncIterator[Node]:
    """One node."""
    async with open_node(redis_url, house) as node:
        yield node
