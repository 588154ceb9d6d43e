"""One viewer's connection as the room writes to it.

Everything towards the viewer passes here, so that the promises hold in one place: events that come
while a snapshot is being made wait behind it; a slow reader first goes without talk and is closed
before its backlog grows past `CLOSE_BYTES`. Nothing here waits.
"""

from collections.abc import Mapping
from typing import Any, Final

from chat.core.batch import Batch
from chat.core.closes import Close
from chat.core.frames import Format, Snapshot, array_frame, pack
from chat.core.room import Member
from chat.ports import Socket

QUIET_BYTES: Final = 256 * 1024
"""With more backlog than this a viewer gets no talk until it has caught up."""
CLOSE_BYTES: Final = 1024 * 1024
"""With more than this it is closed (4008)."""
HELD_EVENTS: Final = 5_000
"""More events than this behind one snapshot close the connection (4008)."""
REPEATING_TICKS: Final = 8
"""For so many ticks after a snapshot, sayings it told are not told again."""


class Connection:
    """A viewer that said hello. It is born held: what is delivered waits for its welcome."""

    def __init__(self, socket: Socket, wire: Format, member: Member) -> None:
        self.member = member
        self._socket = socket
        self._wire = wire
        self._holds = 0
        self._held: list[Batch] = []
        self._held_events = 0
        self._told: frozenset[str] = frozenset()
        self._told_for = 0

    def hold(self) -> None:
        """From now on events wait for a `welcome`; as many welcomes as holds set them free."""
        self._holds += 1

    def welcome(self, snapshot: Snapshot) -> None:
        """Tell how things are, then, when no other snapshot is awaited, what came meanwhile."""
        assert self._holds > 0
        self._holds -= 1
        welcome = snapshot.welcome(self.member.describe())
        self._write(array_frame(self._wire, [welcome]))
        self._told, self._told_for = snapshot.said, REPEATING_TICKS
        if self._holds == 0:
            held, self._held, self._held_events = self._held, [], 0
            for batch in held:
                self._deliver_new(batch)

    def deliver(self, batch: Batch) -> None:
        """Tell the events of a tick."""
        if self._holds:
            self._hold_back(batch)
            return
        if self._told_for:
            self._told_for -= 1
            self._deliver_new(batch)
            if not self._told_for:
                self._told = frozenset()
        else:
            self._deliver_now(batch)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Tell this viewer alone."""
        self._write(array_frame(self._wire, [pack(event)]))

    def close(self, code: Close) -> None:
        """End the connection; its reader sees the end."""
        self._held.clear()
        self._socket.close(code)

    def _deliver_new(self, batch: Batch) -> None:
        repeats = not batch.said.isdisjoint(self._told)
        self._deliver_now(batch.without(self._told) if repeats else batch)

    def _deliver_now(self, batch: Batch) -> None:
        backlog = self._socket.backlog()
        frame = batch.frame(self._wire, seller=self.member.seller, talk=backlog <= QUIET_BYTES)
        if frame is not None:
            self._write(frame)

    def _write(self, frame: bytes) -> None:
        if self._socket.backlog() > CLOSE_BYTES:
            self.close(Close.TOO_SLOW)
        else:
            self._socket.write(frame)

    def _hold_back(self, batch: Batch) -> None:
        self._held_events += len(batch.events)
        if self._held_events > HELD_EVENTS:
            self.close(Close.TOO_SLOW)
        else:
            self._held.append(batch)
