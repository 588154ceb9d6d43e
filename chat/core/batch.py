"""What one tick tells a room: events gathered, and each frame made of them built once.

Viewers differ in three ways: their format, whether they are the show's seller, and whether they
read too slowly for talk. Each of the at most eight frames is built when first asked for.
"""

from collections.abc import Sequence
from typing import Final

from chat.core.frames import Event, Format, Lane, array_frame, pack, unpack

TALK_IN_A_TICK: Final = 100
"""The most sayings in one tick; the oldest of more are dropped: nobody can read so fast."""
TICK_MIN_S: Final = 0.02
"""How long events are gathered in a small room."""
TICK_MAX_S: Final = 0.1
"""How long in a large one."""
_TICK_PER_CONNECTION_S: Final = 16e-6


def tick_s(connections: int) -> float:
    """How long to gather events for so many connections: a write to each costs its share."""
    return min(TICK_MAX_S, TICK_MIN_S + connections * _TICK_PER_CONNECTION_S)


class Batch:
    """The events of one tick, in the order they came."""

    __slots__ = ("_frames", "events", "said")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.said = frozenset(filter(None, map(_said_id, events)))
        """The ids of its sayings."""
        self._frames: dict[tuple[Format, bool, bool], bytes | None] = {}

    def frame(self, wire: Format, *, seller: bool, talk: bool) -> bytes | None:
        """The frame for such a viewer; None where nothing in it is for them."""
        key = (wire, seller, talk)
        if key not in self._frames:
            packed = [
                event.packed
                for event in self.events
                if (seller or event.lane is not Lane.SELLER)
                and (talk or event.lane is not Lane.TALK)
            ]
            self._frames[key] = array_frame(wire, packed) if packed else None
        return self._frames[key]

    def without(self, said: frozenset[str]) -> "Batch":
        """The batch less the sayings a snapshot already told."""
        return Batch([event for event in self.events if _said_id(event) not in said])


def _said_id(event: Event) -> str | None:
    if event.lane is not Lane.TALK:
        return None
    return unpack(event.packed).get("id")


class Gathering:
    """The events of the tick that is not over yet."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._talk = 0
        self._hearts = 0
        self.dropped = 0
        """Sayings dropped so far because a tick had too many."""

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._events or self._hearts)

    def add(self, event: Event) -> None:
        """Add an event; hearts are only counted."""
        if event.lane is Lane.HEARTS:
            self._hearts += int.from_bytes(event.packed)
            return
        if event.lane is Lane.TALK:
            self._talk += 1
            if self._talk > TALK_IN_A_TICK:
                self._drop_oldest_talk()
        self._events.append(event)

    def take(self) -> Batch:
        """Everything gathered; the gathering is empty afterwards."""
        events = self._events
        if self._hearts:
            hearts = pack({"type": "hearts", "count": self._hearts})
            events.append(Event(Lane.TALK, hearts))
        self._events, self._talk, self._hearts = [], 0, 0
        return Batch(events)

    def _drop_oldest_talk(self) -> None:
        oldest = next(i for i, event in enumerate(self._events) if event.lane is Lane.TALK)
        del self._events[oldest]
        self._talk -= 1
        self.dropped += 1
