"""What tests of a room are given: a small house, and one node of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.chat.house import House, Node, open_node
from tests.chat.street import Street, open_street


@pytest.fixture
def house() -> House:
    """A house with nothing changed."""
    return House()


@pytest_asyncio.fixture
async def node(redis_url: str, house: House) -> AsyncIterator[Node]:
    """One node."""
    async with open_node(redis_url, house) as node:
        yield node


@pytest_asyncio.fixture
async def street(redis_url: str, database_url: str) -> AsyncIterator[Street]:
    """A street where `haru` moderates."""
    async with open_street(redis_url, database_url) as street:
        yield street
