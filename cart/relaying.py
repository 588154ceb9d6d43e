"""From the outbox to the viewers: in order, at least once, at most one node at a time.

Events leave within a moment of the commit that caused them, because that commit wakes the task;
the short poll is for what a node left behind when it died. While nobody can be told, they wait.

They are told part by part, and what got through is gone from the outbox whatever becomes of the
next part: so a slow way out is taken in small steps, and never the same ones for ever.
"""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from cart.core.event import Event, newest
from cart.ports.outbox import Outbox, Publish, Taken
from cart.rounds import run_rounds

TAKE_LIMIT: Final = 500
"""Most events in one round; the rest go into the next, at once."""

PART_LIMIT: Final = 100
"""Most events told at once; a quarter as many after a part that failed."""

PART_GROWTH: Final = 5
"""So many more after a part that got through."""

POLL_S: Final = 1.0
PUBLISH_WITHIN_S: Final = 5.0
"""A part that takes longer fails; its events stay in the outbox."""

ROUND_S: Final = 3.0
"""A round that has taken longer begins no further part, so that what was told is soon gone."""


class Relaying:
    """Carries events out."""

    def __init__(self, outbox: Outbox, publish: Publish, wake: asyncio.Event) -> None:
        self._outbox = outbox
        self._publish = publish
        self._wake = wake
        self._part = PART_LIMIT

    async def relay(self) -> bool:
        """Publish the oldest events; whether there may be more. Raises what a part failed by."""
        async with self._outbox.take(TAKE_LIMIT) as taken:
            failure = await self._tell(taken)
        if failure is not None:
            raise failure
        return taken.told < len(taken.events) or len(taken.events) == TAKE_LIMIT

    async def run(self) -> None:
        """Relay until cancelled."""
        await run_rounds("outbox", self.relay, wake=self._wake, idle_s=POLL_S)

    async def _tell(self, taken: Taken) -> Exception | None:
        """Tell the stores' events in order, until a part fails or the round has lasted."""
        clock = asyncio.get_running_loop().time
        ends_s = clock() + ROUND_S
        place = {event["key"]: place for place, (_, event) in enumerate(taken.events, 1)}
        for store, entries in groupby(taken.events, key=itemgetter(0)):
            left = newest([event for _, event in entries])
            while left:
                if clock() >= ends_s:
                    return None
                part, left = left[: self._part], left[self._part :]
                failure = await self._tell_part(store, part)
                if failure is not None:
                    return failure
                # Of what `newest` left out, the newer is told by now, or stays taken.
                taken.told = place[part[-1]["key"]]
        return None

    async def _tell_part(self, store: str, part: Sequence[Event]) -> Exception | None:
        try:
            async with asyncio.timeout(PUBLISH_WITHIN_S):
                await self._publish(store, part)
        except Exception as failure:  # noqa: BLE001 - raised when what was told before is gone
            self._part = max(1, self._part // 4)
            return failure
        self._part = min(PART_LIMIT, self._part + PART_GROWTH)
        return None
