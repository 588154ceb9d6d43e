"""The reconciler: reads every SKU's counters over and over and compares them with their movements.

It works page by page and goes on from where the last recount of a SKU ended, so a round costs the
same however long the log has become. One node counts at a time. It tells, and changes nothing.
"""

import asyncio
from dataclasses import asdict
from typing import Final

import structlog

from cart.core.recount import Drift, drift
from cart.ports.stock import Recounts
from cart.rounds import run_rounds

PAGE_LIMIT: Final = 500
"""Most SKUs in one round; the next round goes on after them."""

DRIFTING_LIMIT: Final = 1_000
"""Most SKUs kept in mind as drifting; more are told to the log alone."""

ROUND_EVERY_S: Final = 10.0

log = structlog.get_logger(__name__)


class Reconciling:
    """Finds drift; `drifting` is what the last look at each page found."""

    def __init__(self, recounts: Recounts) -> None:
        self._recounts = recounts
        self._after = ""
        self.counted = 0
        self.drifting: dict[str, Drift] = {}

    async def recount(self) -> bool:
        """Compare one page; whether another follows at once."""
        page = await self._recounts.page(self._after, PAGE_LIMIT)
        if page is None:
            return False
        for tally in page:
            found = drift(tally)
            if found is None:
                self.drifting.pop(tally.sku, None)
                continue
            if len(self.drifting) < DRIFTING_LIMIT:
                self.drifting[tally.sku] = found
            log.error("the ledger drifts", **asdict(found))
        self.counted += len(page)
        self._after = page[-1].sku if len(page) == PAGE_LIMIT else ""
        return False

    async def run(self) -> None:
        """Recount until cancelled."""
        await run_rounds("recount", self.recount, wake=asyncio.Event(), idle_s=ROUND_EVERY_S)
