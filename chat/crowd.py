"""The viewers of one show on this node, and what they are about to be told.

A crowd lives from its first viewer to its last. It listens to the show's events on the bus,
gathers them for a tick and writes each tick's frames to everybody; it passes on hearts; and when
the bus was lost and is back it tells everybody afresh how things are. All its tasks belong to
`run`.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from chat.connection import Connection
from chat.core.batch import Gathering, tick_s
from chat.core.closes import Close
from chat.core.frames import Event, Lane, Snapshot, pack
from chat.core.rate_limit import SELLER_TALK, TALK, Bucket, Buckets
from chat.core.room import TALK_SHOWN
from chat.errors import UnavailableError
from chat.ports import Bus, Describe, Listener, Past, Room

log = structlog.get_logger()

HEARTS_EVERY_S: Final = 0.2
"""How often hearts are passed on; between, they are added up."""
WRITES_AT_ONCE: Final = 500
"""After so many writes of a tick other work of the loop gets its turn."""


class Crowd(Listener):
    """One show's viewers here. `run` must run for as long as there are any."""

    def __init__(self, show: str, bus: Bus, describe: Describe) -> None:
        self.show = show
        self.opened = asyncio.Event()
        """Set once the show's events are heard, or cannot be for now."""
        self.present = 0
        """How many watch on all nodes, as far as is known here."""
        self._bus = bus
        self._describe = describe
        self._connections: dict[Connection, None] = {}
        self._persons = Buckets()
        self._gathering = Gathering()
        self._gathered = asyncio.Event()
        self._outdated = asyncio.Event()
        self._stale: list[Connection] = []
        self._cheered = asyncio.Event()
        self._hearts = 0
        self._deserted = asyncio.Event()

    def __len__(self) -> int:
        """How many connections there are, welcomed or not."""
        return len(self._connections)

    def add(self, connection: Connection) -> None:
        """Somebody comes in; what happens from now on waits for its welcome."""
        connection.hold()
        self._connections[connection] = None

    def remove(self, connection: Connection) -> None:
        """Somebody left. After the last one the crowd is over and must not be added to."""
        self._connections.pop(connection, None)
        if not self._connections:
            self._deserted.set()

    def talk_bucket(self, person: str | None, *, seller: bool) -> Bucket:
        """What the person may say, whichever of its connections it uses."""
        rate = SELLER_TALK if seller else TALK
        return Bucket(rate) if person is None else self._persons.of(person, rate)

    def received(self, event: Event) -> None:
        """An event from the bus: told with the next tick."""
        self._gathering.add(event)
        self._gathered.set()

    def restored(self) -> None:
        """Events may have been missed: everybody is to be told how things are."""
        for connection in self._connections:
            connection.hold()
        self._stale.extend(self._connections)
        self._outdated.set()

    def cheer(self, count: int) -> None:
        """Hearts from a viewer here."""
        self._hearts += count
        self._cheered.set()

    def set_present(self, total: int) -> None:
        """How many watch; told when it changed."""
        if total != self.present:
            self.present = total
            self.received(Event(Lane.TALK, pack({"type": "present", "count": total})))

    def forget_silent(self, now: float) -> None:
        """Forget the rates of persons who have been silent long enough."""
        self._persons.forget_full(now)

    def close(self, code: Close) -> None:
        """Close every connection."""
        for connection in [*self._connections]:
            connection.close(code)

    async def snapshot(self, room: Room) -> Snapshot:
        """How things are, to be welcomed with: the room just described and its past."""
        try:
            past = await self._bus.past(self.show)
        except UnavailableError:
            past = Past((), 0)
        return Snapshot(
            {
                "type": "welcome",
                "show": self.show,
                "now_ms": time.time_ns() // 1_000_000,
                "on_air": room.on_air,
                "stage": room.stage,
                "pinned": room.pinned,
                "products": room.products,
                "talk": past.talk[-TALK_SHOWN:],
                "present": max(self.present, len(self)),
                "hearts": past.hearts,
            }
        )

    async def run(self) -> None:
        """Listen and tell until the last viewer has left."""
        await self._bus.subscribe(self.show, self)
        try:
            self.opened.set()
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._tell_ticks()),
                    tasks.create_task(self._pass_hearts_on()),
                    tasks.create_task(self._refresh()),
                ]
                await self._deserted.wait()
                for task in running:
                    task.cancel()
        finally:
            await self._bus.unsubscribe(self.show, self)

    async def _tell_ticks(self) -> None:
        while True:
            await self._gathered.wait()
            await asyncio.sleep(tick_s(len(self)))
            self._gathered.clear()
            batch = self._gathering.take()
            told: Sequence[Connection] = [*self._connections]
            for start in range(0, len(told), WRITES_AT_ONCE):
                for connection in told[start : start + WRITES_AT_ONCE]:
                    connection.deliver(batch)
                await asyncio.sleep(0)

    async def _pass_hearts_on(self) -> None:
        while True:
            await self._cheered.wait()
            self._cheered.clear()
            count, self._hearts = self._hearts, 0
            try:
                await self._bus.cheer(self.show, count)
            except UnavailableError:
                log.info("hearts lost, no bus", show=self.show, count=count)
            await asyncio.sleep(HEARTS_EVERY_S)

    async def _refresh(self) -> None:
        while True:
            await self._outdated.wait()
            self._outdated.clear()
            stale, self._stale = self._stale, []
            try:
                room = await self._describe(self.show, None)
            except Exception:
                log.exception("cannot describe the show", show=self.show)
                self.close(Close.FAULT)
                continue
            if room is None:
                self.close(Close.NO_SUCH_SHOW)
                continue
            await self._welcome(stale, await self.snapshot(room))

    async def _welcome(self, connections: Sequence[Connection], snapshot: Snapshot) -> None:
        for start in range(0, len(connections), WRITES_AT_ONCE):
            for connection in connections[start : start + WRITES_AT_ONCE]:
                connection.welcome(snapshot)
            await asyncio.sleep(0)
