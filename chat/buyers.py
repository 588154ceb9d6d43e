"""Who has bought in a show's store, as a node knows it: asked once for each person.

What is known of somebody is kept until an order of theirs changes, or for `KNOWN_S`; of at most
`PERSONS_KNOWN`, then all are asked about again.
"""

from collections.abc import Callable
from typing import Final

import structlog

from chat.errors import UnavailableError
from chat.ports import Buys

log = structlog.get_logger()

PERSONS_KNOWN: Final = 20_000
KNOWN_S: Final = 300.0


class Buyers:
    """The buyers of one show. `clock`: seconds that never run backwards."""

    def __init__(self, buys: Buys, clock: Callable[[], float]) -> None:
        self._buys = buys
        self._clock = clock
        self._known: dict[str, tuple[bool, float]] = {}
        self._changes = 0

    async def has(self, person: str, store: str) -> bool:
        """Whether the person has bought in the store. Raises `UnavailableError`."""
        known = self._known.get(person)
        if known is not None and self._clock() < known[1]:
            return known[0]
        changes = self._changes
        try:
            bought = await self._buys(person, store)
        except Exception as error:
            log.warning("whether somebody has bought is not known", error=repr(error))
            raise UnavailableError("The orders are out of reach.") from error
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
