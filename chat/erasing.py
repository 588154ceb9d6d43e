"""A person is erased from all rooms: what they said is gone from archive, Redis and pages, and what
other packages know of them with it.

An erasure is whole when it is answered; one that failed is to be asked for again, and asked for
again it changes nothing. What is said afterwards is as if nothing had been. That it happened stays
known, without a text or a name.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from chat.core.addressee import EVERYBODY, MODERATORS, NODES
from chat.core.deeds import Deed
from chat.core.events import Settled
from chat.core.moderation import Action, Deleted, Forgotten, without_pinned
from chat.errors import TooOftenError
from chat.hub import Hub
from chat.ports import Erasures, Rulebook, Trace, Traces

log = structlog.get_logger()

Withdraw = Callable[[str, str, str], Awaitable[None]]
"""Given who does it, a show and a question: it is one no longer."""
OpenShows = Callable[[str], Awaitable[Sequence[str]]]
"""The ids of a store's shows that are not over."""
Elsewhere = Callable[[str], Awaitable[None]]
"""Given an account: what others than the chat keep of it is forgotten."""

BY_THEMSELVES: Final = "self"
BY_THE_OPERATOR: Final = "operator"

OWN_EVERY_S: Final = 60
"""An account erases itself so often at most, on each node; above it: refused."""
PASSES: Final = 2
"""So often all rooms forget: by the second time what was on its way has been said."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What the account said until then is erased; so many sayings it were this time."""

    account: str
    until_ms: int
    sayings: int


class Erasing:
    """The use case; one erasure at a time on a node, since each asks many rooms."""

    def __init__(
        self,
        hub: Hub,
        erasures: Erasures,
        rulebook: Rulebook,
        withdraw: Withdraw,
        open_shows: OpenShows,
        elsewhere: Elsewhere,
    ) -> None:
        self._hub = hub
        self._erasures = erasures
        self._rulebook = rulebook
        self._withdraw = withdraw
        self._open_shows = open_shows
        self._elsewhere = elsewhere
        self._one_at_a_time = asyncio.Lock()
        self._own: dict[str, float] = {}
        """When accounts began to erase themselves, in the last `OWN_EVERY_S`."""

    async def erase_own(self, account: str) -> Erasure:
        """The same for oneself. Raises `TooOftenError` too; one that failed does not count."""
        now = time.monotonic()
        self._own = {each: at for each, at in self._own.items() if now < at + OWN_EVERY_S}
        if account in self._own:
            wait_s = math.ceil(self._own[account] + OWN_EVERY_S - now)
            raise TooOftenError("This was done a moment ago.", {"retry_after_s": wait_s})
        self._own[account] = now
        try:
            return await self.erase(account, BY_THEMSELVES)
        except BaseException:
            self._own.pop(account, None)
            raise

    async def erase(self, account: str, asked_by: str) -> Erasure:
        """Erase what the account said until now. Raises `UnavailableError`; then ask again."""
        async with self._one_at_a_time:
            until_ms = time.time_ns() // 1_000_000
            traces = await self._erasures.begin(account, until_ms, asked_by)
            for question in traces.questions:
                await self._withdraw(asked_by, question.show, question.id)
            for pinned in traces.pinned:
                await self._unpin(account, asked_by, pinned)
            for report in traces.reports:
                settled = msgspec.to_builtins(Settled(int(report.id)))
                await self._hub.publish(report.show, settled, MODERATORS)
            known = [each.id for each in (*traces.pinned, *traces.questions)]
            for _ in range(PASSES):
                for show in await self._shows(traces):
                    await self._forget(show, account, until_ms, known)
            await self._elsewhere(account)
            sayings = await self._erasures.finish(account, until_ms)
        log.info("a person was erased", account=account, asked_by=asked_by, sayings=sayings)
        return Erasure(account, until_ms, sayings)

    async def _shows(self, traces: Traces) -> list[str]:
        """Where rooms, on nodes and in the bus, may remember something."""
        found = traces.shows.union(await self._hub.bus.talking())
        for places in (traces.pinned, traces.questions, traces.reports):
            found = found.union(place.show for place in places)
        for store in traces.stores:
            found = found.union(await self._open_shows(store))
        return sorted(found)

    async def _forget(self, show: str, account: str, until_ms: int, known: list[str]) -> None:
        said = await self._hub.bus.said_by(show, account, until_ms)
        for saying in said:
            await self._hub.publish(show, msgspec.to_builtins(Deleted(saying)), EVERYBODY)
        if await self._hub.bus.forget(show, account, [*said, *known]):
            await self._hub.publish(show, msgspec.to_builtins(Forgotten()), NODES)
            await self._hub.bus.forgotten(show, account)

    async def _unpin(self, account: str, asked_by: str, pinned: Trace) -> None:
        room = await self._hub.look(pinned.show)
        if room is None:
            return
        deed = Deed(
            store=room.store,
            show=pinned.show,
            actor=account if asked_by == BY_THEMSELVES else asked_by,
            what=Action.PIN.value,
            at_ms=time.time_ns() // 1_000_000,
        )
        now = await self._rulebook.switch(deed, lambda now: without_pinned(now, pinned.id))
        await self._hub.publish(pinned.show, msgspec.to_builtins(now), EVERYBODY)
