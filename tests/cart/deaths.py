"""A node that may die at any moment: before any statement, before a commit, or after it, unheard.

A dead node does nothing at the database any more, whatever still runs of it; the database takes
back what was open. Started anew it remembers nothing.
"""

import asyncio
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

from cart.ports.deals import ShowFacts
from tests.cart.shop import Shop, make_shop


class Died(Exception):
    """The node is gone, and nobody is answered."""


class Node:
    """A server of the shop on an engine of its own; `shows`: what all nodes know of shows."""

    def __init__(self, engine: AsyncEngine, shows: dict[str, ShowFacts]) -> None:
        self.engine = engine
        event.listen(engine.sync_engine, "before_cursor_execute", self._before_statement)
        event.listen(engine.sync_engine, "commit", self._commit)
        self._shows = shows
        self.doom(0)
        self.dead = False
        self.shop: Shop = make_shop(engine, shows=shows)
        self._committing: asyncio.Task[None] | None = None

    def doom(self, moments: int) -> None:
        """Let it die at the so-manyth moment from now; below 0: right after so many commits.

        For 0 it lives.
        """
        self._moments_left = moments if moments > 0 else None
        self._commits_left = -moments if moments < 0 else None

    async def start(self) -> None:
        """Begin, or begin anew."""
        await self.stop()
        self.doom(0)
        self.dead = False
        self.shop = make_shop(self.engine, shows=self._shows)
        self._committing = asyncio.create_task(self.shop.cart.holding.run())

    async def stop(self) -> None:
        """End what runs by itself."""
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.gather(self._committing, return_exceptions=True)

    def _before_statement(self, *said: Any) -> None:
        self._moment()

    def _commit(self, connection: Connection) -> None:
        """Commit here, so that one may die on either side of it."""
        self._moment()
        connection.connection.commit()
        if self._commits_left is not None:
            self._commits_left -= 1
            self.dead = self.dead or self._commits_left == 0
        self._moment()

    def _moment(self) -> None:
        if self._moments_left is not None:
            self._moments_left -= 1
            self.dead = self.dead or self._moments_left == 0
        if self.dead:
            raise Died
