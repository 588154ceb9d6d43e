"""What discovery needs from the world around it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

DemandStore = Callable[[str], Awaitable[object]]
"""Raises where there is no store of this slug."""

Tell = Callable[[str, str, bool], Awaitable[None]]
"""Store, account, whether it follows now: told to whom it concerns. May raise anything."""


class Followers(Protocol):
    """Who follows which store, kept durably."""

    async def add(self, store: str, account: str) -> bool:
        """The account follows the store; False: it did already."""

    async def remove(self, store: str, account: str) -> bool:
        """It follows it no longer; False: it did not."""

    async def has(self, account: str, store: str) -> bool:
        """Whether the account follows the store."""

    async def count(self, store: str) -> int:
        """How many follow it."""
