"""One viewer's connection as the room writes to it.

Everything towards the viewer passes here, so that the promises hold in one place: every numbered
event comes once and in order, after a welcome that says from where on; a slow reader first goes
without talk and is closed before its backlog grows past `CLOSE_BYTES`. Nothing here waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from chat.core.batch import Batch, Ear, ear
from chat.core.closes import Close
from chat.core.frames import Format, Snapshot, array_frame, pack
from chat.core.moderation import Appointed, Sanction
from chat.core.room import Member, Rank
from chat.ports import Socket

CLOSE_BYTES: Final = 1024 * 1024
"""With more backlog than this a viewer is closed (4008)."""


class Connection:
    """A viewer that said hello; `member` is what it is in the room."""

    __slots__ = ("_ear", "_offset", "_socket", "_wire", "member")

    def __init__(self, socket: Socket, wire: Format, member: Member) -> None:
        self.member = member
        self._socket = socket
        self._wire = wire
        self._ear = ear(wire, member.rank, socket.takes_deflated())
        self._offset = 0

    def welcome(
        self,
        snapshot: Snapshot,
        sanctions: Sequence[Sanction],
        offset: int,
        missed: Batch,
        *,
        recovered: bool,
    ) -> None:
        """Tell how things are, its own `sanctions` too, then what came since; events after
        `offset` will follow."""
        you = self.member.describe()
        if you is not None:
            you["sanctions"] = sanctions
        packed = snapshot.welcome(you, offset, recovered=recovered)
        self._write(array_frame(self._wire, [packed]))
        self._offset = offset
        plain = ear(self._wire, self.member.rank, False)
        self._deliver(missed, plain)  # it is this viewer's alone: nobody else shares the work

    def deliver(self, batch: Batch) -> None:
        """Tell the events of a tick that are new here."""
        socket = self._socket
        if not batch.alike or socket.lags or batch.first <= self._offset:
            self._deliver(batch, self._ear)
            return
        # Nearly all get the same, whatever the tick tells: this way is short.
        if batch.last:
            self._offset = batch.last
        frame = batch.shared(self._ear)
        if frame is not None:
            socket.write(frame)

    def _deliver(self, batch: Batch, heard: Ear) -> None:
        if batch.first <= self._offset:
            batch = batch.after(self._offset)
        self._offset = max(self._offset, batch.last)
        frame = batch.frame(heard, self.member, talk=not self._socket.lags)
        if frame is not None:
            self._write(frame)

    def appoint(self, change: Appointed) -> None:
        """If this is about the viewer, it is a moderator from now on, or no longer."""
        rank = Rank.MODERATOR if change.moderates else Rank.VIEWER
        if self.member.id == change.account and self.member.rank not in {Rank.SELLER, rank}:
            self.member = replace(self.member, rank=rank)
            self._ear = ear(self._wire, rank, self._socket.takes_deflated())

    def tell(self, event: Mapping[str, Any] | msgspec.Struct) -> None:
        """Tell this viewer alone."""
        self._write(array_frame(self._wire, [pack(event)]))

    def close(self, code: Close) -> None:
        """End the connection; its reader sees the end."""
        self._socket.close(code)

    def _write(self, frame: bytes) -> None:
        if self._socket.lags and self._socket.backlog() > CLOSE_BYTES:
            self.close(Close.TOO_SLOW)
        else:
            self._socket.write(frame)
