"""The rooms of this node: a crowd for each show that somebody here watches.

The hub makes a crowd with the first viewer and forgets it after the last, counts viewers into the
presence of all nodes every beat, and publishes. Everything it runs is owned by `open_hub`, which
on its end closes every connection with "going away, come back".
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog

from chat.connection import Connection
from chat.core.addressee import EVERYBODY
from chat.core.closes import Close
from chat.core.frames import EVENT_BYTES, pack
from chat.core.moderation import Action, may
from chat.core.presence import Attendance
from chat.core.words import WordList
from chat.crowd import Crowd
from chat.errors import EventTooLargeError, ForbiddenError, UnavailableError, UnknownError
from chat.picture import Looks
from chat.ports import Ask, Beat, Bus, Customers, Describe, Identify, Presence, Room, Till

log = structlog.get_logger()

BEAT_S: Final = 1.0
"""How often viewers are counted; the most often a count is pushed."""
LEAVING_S: Final = 2.0
"""How long a closing hub waits for its connections to end."""


class Hub:
    """The rooms of this node; made by `open_hub`."""

    def __init__(
        self,
        bus: Bus,
        presence: Presence,
        identify: Identify,
        describe: Describe,
        customers: Customers,
        unwanted: WordList,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.bus = bus
        self.identify = identify
        self._describe = describe
        self._customers = customers
        self.unwanted = unwanted
        self._looks = Looks[Room | None]()
        self.closing = False
        self.overheard: Callable[[str, Mapping[str, Any]], None] | None = None
        """Told, without waiting, of a show and what a viewer said there, once it is shown."""
        self.spoken: Callable[[str, Mapping[str, Any], str], None] | None = None
        """Told, without waiting, of a show, what a viewer who may talk said there, shown or
        thinned, and a key that is the same when it is said again."""
        self.ask: Ask | None = None
        """Takes what viewers mark as questions; without one none are taken."""
        self.till: Till | None = None
        """Where viewers ask for holds; without one a room knows no such message."""
        self._presence = presence
        self._tasks = tasks
        self._crowds: dict[str, Crowd] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self.empty = asyncio.Event()
        """Set while nobody here watches anything."""
        self.empty.set()

    async def look(self, show: str) -> Room | None:
        """What a show is like now or was a moment ago; None where there is none."""

        async def describe() -> Room | None:
            return await self._describe(show)

        return await self._looks.share(show, describe)

    async def demand(self, actor: str, show: str, action: Action) -> Room:
        """The show as it is. Raises `UnknownError`; `ForbiddenError` where one may not do so."""
        room = await self.look(show)
        if room is None:
            raise UnknownError("There is no such show.")
        if not may(room.rank(actor), action):
            raise ForbiddenError("This is for the seller and moderators.")
        return room

    def enter(self, show: str) -> Crowd:
        """The show's crowd, made when there is none; a connection must be added at once."""
        crowd = self._crowds.get(show)
        if crowd is None:
            crowd = self._crowds[show] = Crowd(show, self.bus, self._describe, self._customers)
            self.empty.clear()
            task = self._tasks.create_task(self._keep(crowd), name=f"crowd {show}")
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)
        return crowd

    def leave(self, crowd: Crowd, connection: Connection) -> None:
        """A connection is gone; the crowd with it when it was the last."""
        crowd.remove(connection)
        if not crowd:
            self._forget(crowd)

    async def publish(
        self, show: str, event: Mapping[str, Any], to: str = EVERYBODY, key: str | None = None
    ) -> None:
        """Tell those in a show it is for (see `chat.core.addressee`), on every node.

        Events published one after another arrive in that order, each once, whatever connections
        are lost on the way. With a `key` it is published once, however often this is called
        within minutes. Raises `UnavailableError` when Redis is out of reach, and
        `EventTooLargeError`.
        """
        packed = pack(event)
        if len(packed) > EVENT_BYTES:
            raise EventTooLargeError(facts={"limit": EVENT_BYTES, "size": len(packed)})
        await self.bus.publish(show, packed, to, key)

    async def present(self, show: str) -> int:
        """How many watch the show on all nodes; those here when Redis is out of reach."""
        try:
            return (await self._presence.attendance(show)).viewers
        except UnavailableError:
            return len(self._crowds.get(show, ()))

    async def attendance(self, show: str) -> Attendance:
        """How many watch on all nodes, did at most, and came; raises `UnavailableError`."""
        return await self._presence.attendance(show)

    async def beat_forever(self) -> None:
        """Count the viewers of every show here every `BEAT_S`."""
        while True:
            await asyncio.sleep(BEAT_S)
            await self._beat([*self._crowds.values()])
            now = time.monotonic()
            for crowd in self._crowds.values():
                crowd.forget_silent(now)

    async def close(self) -> None:
        """Close every connection, and wait a little for their ends and the last count."""
        self.closing = True
        shows = [*self._crowds]
        for crowd in [*self._crowds.values()]:
            crowd.close(Close.GOING_AWAY)
        if self._keeping:
            await asyncio.wait([*self._keeping], timeout=LEAVING_S)
        for task in self._keeping:
            task.cancel()
        with suppress(UnavailableError):
            await self._presence.leave(shows)

    async def _beat(self, crowds: Sequence[Crowd]) -> None:
        beats = {crowd.show: Beat(len(crowd), crowd.arrivals.take()) for crowd in crowds}
        try:
            totals = await self._presence.beat(beats)
        except UnavailableError:
            for crowd in crowds:
                crowd.arrivals.add(*beats[crowd.show].arrived)
        else:
            for crowd in crowds:
                crowd.set_present(totals[crowd.show])

    def _forget(self, crowd: Crowd) -> None:
        if self._crowds.get(crowd.show) is crowd:
            del self._crowds[crowd.show]
        if not self._crowds:
            self.empty.set()

    async def _keep(self, crowd: Crowd) -> None:
        try:
            await self._beat([crowd])
            await crowd.run()
        except Exception:
            log.exception("a crowd failed", show=crowd.show)
            self._forget(crowd)
            crowd.close(Close.FAULT)
        finally:
            crowd.opened.set()
        successor = self._crowds.get(crowd.show)
        if successor is not None:
            successor.arrivals.add(*crowd.arrivals.take())
        else:
            await self._beat([crowd])
            with suppress(UnavailableError):
                await self._presence.leave([crowd.show])


@asynccontextmanager
async def open_hub(
    bus: Bus,
    presence: Presence,
    identify: Identify,
    describe: Describe,
    customers: Customers,
    unwanted: WordList,
) -> AsyncIterator[Hub]:
    """A hub over a running bus. At the end: connections closed, then its tasks, nothing left."""
    async with asyncio.TaskGroup() as tasks:
        hub = Hub(bus, presence, identify, describe, customers, unwanted, tasks)
        beating = tasks.create_task(hub.beat_forever(), name="presence beat")
        try:
            yield hub
        finally:
            beating.cancel()
            await hub.close()
