"""Points earned become ready when nobody can withdraw from the order any more, and expire when they
were not spent in time, by the database's clock. Several nodes may do it at once; row locks make
each order's points ready, and expire, exactly once.
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

    async def expire(self) -> bool:
        """Take what is over; whether there may be more."""
        return await self._book.expire(RIPEN_LIMIT) == RIPEN_LIMIT

    async def run(self) -> None:
        """Ripen and expire until cancelled."""

        async def both() -> bool:
            ripened, expired = await self.ripen(), await self.expire()
            return ripened or expired

        await run_rounds("ripening", both, wake=asyncio.Event(), idle_s=RIPEN_EVERY_S)
