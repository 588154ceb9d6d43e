"""What persons are to a show's store, as a node knows it: buyers, followers. Asked once for each.

What is known of somebody is kept until it changes, or for `KNOWN_S`; of at most `PERSONS_KNOWN`,
then all are asked about again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from chat.errors import UnavailableError
from chat.picture import Looks
from chat.ports import IsTo

log = structlog.get_logger()

PERSONS_KNOWN: Final = 20_000
KNOWN_S: Final = 300.0
BADGE_S: Final = 0.3
"""Talk waits no longer for a badge."""


class Standing:
    """Who is something to one store.

    `looking` is held while somebody is asked about. `clock`: seconds that never run backwards.
    """

    def __init__(self, is_to: IsTo, looking: asyncio.Semaphore, clock: Callable[[], float]) -> None:
        self._is_to = is_to
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}
        self._asking: set[str] = set()
        """Who is asked about and has not changed since."""
        self._looks = Looks[bool | None]()
        self._looking = looking

    async def has(self, person: str, store: str) -> bool:
        """Whether the person is. Raises `UnavailableError`."""
        known = self._known.get(person)
        if known is not None and self._clock() < known[1]:
            return known[0]
        found = await self._looks.share(person, lambda: self._look(person, store))
        if found is None:
            raise UnavailableError("What somebody is to the store is not known.")
        return found

    async def seen_soon(self, person: str, store: str) -> bool:
        """The same, for a badge: False where it is not known within `BADGE_S`."""
        try:
            async with asyncio.timeout(BADGE_S):
                return await self.has(person, store)
        except (TimeoutError, UnavailableError):
            return False

    async def _look(self, person: str, store: str) -> bool | None:
        self._asking.add(person)
        try:
            async with self._looking:
                found = await self._is_to(person, store)
        except Exception as error:  # noqa: BLE001 - talk goes on whatever the database says
            log.warning("what somebody is to a store is not known", error=repr(error))
            return None
        if person in self._asking:  # else the answer may be older than the change
            if len(self._known) >= PERSONS_KNOWN:
                self._known.clear()
            self._known[person] = found, self._clock() + KNOWN_S
        return found

    def changed(self, person: str) -> None:
        """What this person is may be another now."""
        self._asking.discard(person)
        self._known.pop(person, None)

    def forget(self) -> None:
        """It may have changed unheard, for anybody."""
        self._asking.clear()
        self._known.clear()
