"""Following a store: one says so, or no longer, and everybody sees how many do.

What is kept is told, once, to whom it concerns; when that fails it is logged and nothing else. How
many follow a store is counted at most every `COUNT_KEPT_S` and may be as old. Each change is told
to rooms, so nobody may change one thing for ever.
"""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from live.discovery.errors import RestlessError
from live.discovery.ports import DemandStore, Followers, Tell

log = structlog.get_logger()

COUNT_KEPT_S: Final = 5.0
COUNTS_KEPT: Final = 1_000
"""So many stores' counts are kept; then all are counted again."""
CHANGES: Final = 20
CHANGES_S: Final = 600.0
"""So many changes an account may ask for in so many seconds, of each store, at each node."""
CHANGING_KEPT: Final = 10_000
"""Of so many pairs of store and account it is known; then all may begin again."""


@dataclass(frozen=True, slots=True)
class Following:
    """Whether somebody follows a store, and how many do."""

    follows: bool
    followers: int


class Followings:
    """The use cases. `clock`: seconds that never run backwards."""

    def __init__(
        self,
        followers: Followers,
        demand_store: DemandStore,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._followers = followers
        self._demand_store = demand_store
        self._tell = tell
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}
        self._counting = asyncio.Lock()
        self._changing: dict[tuple[str, str], tuple[int, float]] = {}

    async def look(self, store: str, account: str | None) -> Following:
        """How it is with an account, or for nobody signed in. Raises what `demand_store` does."""
        await self._demand_store(store)
        follows = account is not None and await self._followers.has(account, store)
        return Following(follows, await self._count(store))

    async def set(self, store: str, account: str, *, follows: bool) -> Following:
        """The account follows the store, or no longer; again it changes nothing.

        Raises `RestlessError`, and what `demand_store` does.
        """
        self._demand_rest(store, account)
        await self._demand_store(store)
        change = self._followers.add if follows else self._followers.remove
        count = await self._count(store)
        if await change(store, account):
            count = self._counted(store, 1 if follows else -1, count)
            await self._tell_of(store, account, follows)
        return Following(follows, count)

    def _demand_rest(self, store: str, account: str) -> None:
        now = self._clock()
        asked, until = self._changing.get((store, account), (0, now))
        if now >= until:
            asked, until = 0, now + CHANGES_S
        if asked >= CHANGES:
            raise RestlessError(retry_after_s=math.ceil(until - now))
        if len(self._changing) >= CHANGING_KEPT:
            self._changing.clear()
        self._changing[store, account] = asked + 1, until

    async def _count(self, store: str) -> int:
        async with self._counting:
            known = self._counts.get(store)
            if known is not None and self._clock() < known[1]:
                return known[0]
            if len(self._counts) >= COUNTS_KEPT:
                self._counts.clear()
            count = await self._followers.count(store)
            self._counts[store] = count, self._clock() + COUNT_KEPT_S
            return count

    def _counted(self, store: str, more: int, otherwise: int) -> int:
        count, until = self._counts.get(store, (otherwise, self._clock()))
        self._counts[store] = max(0, count + more), until
        return self._counts[store][0]

    async def _tell_of(self, store: str, account: str, follows: bool) -> None:
        try:
            await self._tell(store, account, follows)
        except Exception as error:  # noqa: BLE001 - it is kept, and rooms ask again in time
            log.warning("rooms were not told who follows", store=store, error=repr(error))
