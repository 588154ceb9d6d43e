"""From the outbox to the viewers: in order, at least once, at most one node at a time.

Events leave within a moment of the commit that caused them, because that commit wakes the task;
the short poll is for what a node left behind when it died. While nobody can be told, they wait.
"""

import asyncio
from itertools import groupby
from operator import itemgetter
from typing import Final

from cart.core.event import newest
from cart.ports.outbox import Outbox, Publish
from cart.rounds import run_rounds

TAKE_LIMIT: Final = 500
"""Most events in one round; the rest go into the next, at once."""

POLL_S: Final = 1.0
PUBLISH_WITHIN_S: Final = 5.0
"""A publish that takes longer fails; its events stay in the outbox."""


class Relaying:
    """Carries events out."""

    def __init__(self, outbox: Outbox, publish: Publish, wake: asyncio.Event) -> None:
        self._outbox = outbox
        self._publish = publish
        self._wake = wake

    async def relay(self) -> bool:
        """Publish the oldest events; whether there may be more."""
        async with self._outbox.take(TAKE_LIMIT) as taken:
            for store, entries in groupby(taken, key=itemgetter(0)):
                events = newest([event for _, event in entries])
                async with asyncio.timeout(PUBLISH_WITHIN_S):
                    await self._publish(store, events)
        return len(taken) == TAKE_LIMIT

    async def run(self) -> None:
        """Relay until cancelled."""
        await run_rounds("outbox", self.relay, wake=self._wake, idle_s=POLL_S)
