"""Points earned become ready when nobody can withdraw from the order any more, by the database's
clock. Several nodes may ripen at once; row locks make each order's points ready exactly once.
"""

import asyncio
from typing import Final

from cart.ports.orders import PointsBook
from cart.rounds import run_rounds

RIPEN_LIMIT: Final = 256
"""Most orders in one transaction; the rest go into the next, at once."""

RIPEN_EVERY_S: Final = 60.0


class Ripening:
    """The sweep."""

    def __init__(self, book: PointsBook) -> None:
        self._book = book

    async def ripen(self) -> bool:
        """Make ready what is due; whether there may be more."""
        return await self._book.ripen(RIPEN_LIMIT) == RIPEN_LIMIT

    async def run(self) -> None:
        """Ripen until cancelled."""
        await run_rounds("ripening", self.ripen, wake=asyncio.Event(), idle_s=RIPEN_EVERY_S)
