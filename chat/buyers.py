"""Who has bought in a show's store, as a node knows it: asked once for each person.

What is known of somebody is kept until an order of theirs changes, or for `KNOWN_S`; of at most
`PERSONS_KNOWN`, then all are asked about again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chat.errors import UnavailableError
from chat.picture import Looks
from chat.ports import Buys

log = structlog.get_logger()

PERSONS_KNOWN: Final = 20_000
KNOWN_S: Final = 300.0
BADGE_S: Final = 0.3
"""Talk waits no longer for a badge."""
LOOKS_AT_ONCE: Final = 4
"""So many persons are asked about at once; more wait, so that buyers need not."""


class Buyers:
    """The buyers of one show. `clock`: seconds that never run backwards."""

    def __init__(self, buys: Buys, clock: Callable[[], float]) -> None:
        self._buys = buys
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}
        self._changes = 0
        self._looks = Looks[bool | None]()
        self._looking = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def has(self, person: str, store: str) -> bool:
        """Whether the person has bought in the store. Raises `UnavailableError`."""
        known = self._known.get(person)
        if known is not None and self._clock() < known[1]:
            return known[0]
        bought = await self._looks.share(person, lambda: self._look(person, store))
        if bought is None:
            raise UnavailableError("The orders are out of reach.")
        return bought

    async def seen_soon(self, person: str, store: str) -> bool:
        """The same, for a badge: False where it is not known within `BADGE_S`."""
        try:
            async with asyncio.timeout(BADGE_S):
                return await self.has(person, store)
        except (TimeoutError, UnavailableError):
            return False

    async def _look(self, person: str, store: str) -> bool | None:
        changes = self._changes
        try:
            async with self._looking:
                bought = await self._buys(person, store)
        except Exception as error:  # noqa: BLE001 - talk goes on whatever the orders' store says
            log.warning("whether somebody has bought is not known", error=repr(error))
            return None
        if changes == self._changes:  # else the answer may be older than the order
            if len(self._known) >= PERSONS_KNOWN:
                self._known.clear()
            self._known[person] = bought, self._clock() + KNOWN_S
        return bought

    def ordered(self, person: str) -> None:
        """An order of this person was placed or went on."""
        self._changes += 1
        self._known.pop(person, None)

    def forget(self) -> None:
        """Orders may have changed unheard."""
        self._changes += 1
        self._known.clear()
