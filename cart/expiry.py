"""Deadlines: holds past theirs give their units back, by the database's clock.

Several nodes may sweep at once; the ledger's row locks make each unit return exactly once.
"""

import asyncio
from typing import Final

from cart.ports.stock import Ledger
from cart.rounds import run_rounds

SWEEP_LIMIT: Final = 512
"""Most holds in one transaction; the rest go into the next, at once."""

SHRINK: Final = 4
"""So many times fewer after a failure, and more again after a success."""

SWEEP_EVERY_S: Final = 0.5
"""A unit comes back at most this long after its deadline, if the database answers."""


class Expiry:
    """The sweep."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._limit = SWEEP_LIMIT

    async def sweep(self) -> bool:
        """Expire what is due; whether there may be more.

        After a failure fewer at once: what many wait for may take longer than a transaction may.
        """
        limit = self._limit
        try:
            swept = await self._ledger.sweep(limit)
        except Exception:
            self._limit = max(1, limit // SHRINK)
            raise
        self._limit = min(SWEEP_LIMIT, limit * SHRINK)
        return swept == limit

    async def run(self) -> None:
        """Sweep until cancelled."""
        await run_rounds("expiry", self.sweep, wake=asyncio.Event(), idle_s=SWEEP_EVERY_S)
