"""The numbered events of one show as a node knows them: the last ones, without a gap.

The store numbers events from 1 within an epoch, which is new whenever the store has lost what it
knew. A node that hears number after number knows everything; one that hears a number too high, or
of another epoch, has missed something and asks the store. What the store still has fills the gap;
otherwise the log begins anew, and everybody is told how things are.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from chat.core.frames import Event

LOG_EVENTS: Final = 1_000
"""So many of the last events are kept, here and in the store."""
LOG_BYTES: Final = 4 * 1024 * 1024
"""Older events go when those kept are larger than this together."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a show's sequence: everything up to `offset` is known."""

    epoch: str
    offset: int


NOWHERE: Final = Position("", 0)
"""Where a log is that has heard nothing."""


@dataclass(frozen=True, slots=True)
class Tail:
    """What the store tells: where the sequence ends, and the events before that, oldest first."""

    end: Position
    events: Sequence[Event]


class Heard(Enum):
    """What became of an event from the bus."""

    NEW = auto()
    OLD = auto()
    """It is known already."""
    GAP = auto()
    """Others are missing before it: ask the store."""


class Log:
    """See the module. `position`: everything up to there is known."""

    def __init__(self) -> None:
        self.position = NOWHERE
        self._events: deque[Event] = deque()
        self._bytes = 0

    def hear(self, epoch: str, event: Event) -> Heard:
        """Note an event that came over the bus."""
        if epoch != self.position.epoch or event.offset > self.position.offset + 1:
            return Heard.GAP
        if event.offset <= self.position.offset:
            return Heard.OLD
        self._append(event)
        return Heard.NEW

    def fill(self, tail: Tail) -> Sequence[Event] | None:
        """Note what the store knows. The events that were missing, oldest first; None when some
        of them are not to be had: the log has begun anew then.
        """
        here, end = self.position, tail.end
        missing = [event for event in tail.events if event.offset > here.offset]
        if end.epoch == here.epoch and len(missing) == max(0, end.offset - here.offset):
            for event in missing:
                self._append(event)
            return missing
        self.forget()
        kept = _unbroken(tail)
        self.position = Position(end.epoch, end.offset - len(kept))
        for event in kept:
            self._append(event)
        return None

    def since(self, position: Position) -> Sequence[Event] | None:
        """The events after a place, oldest first; None when it is not known what they were."""
        missing = self.position.offset - position.offset
        if position.epoch != self.position.epoch or not 0 <= missing <= len(self._events):
            return None
        return list(self._events)[len(self._events) - missing :]

    def forget(self) -> None:
        """Nobody is told again what is known up to here."""
        self._events.clear()
        self._bytes = 0

    def _append(self, event: Event) -> None:
        self.position = Position(self.position.epoch, event.offset)
        self._events.append(event)
        self._bytes += len(event.packed)
        while len(self._events) > LOG_EVENTS or self._bytes > LOG_BYTES:
            self._bytes -= len(self._events.popleft().packed)


def _unbroken(tail: Tail) -> Sequence[Event]:
    """The last events, as far back as none is missing: what was erased leaves a gap."""
    kept: list[Event] = []
    for event in reversed(tail.events):
        if event.offset != tail.end.offset - len(kept):
            break
        kept.append(event)
    return kept[::-1]
