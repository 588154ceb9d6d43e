"""What one tick tells a room: events gathered, and each frame made of them built once.

Viewers differ in their format, in their rank, and in whether they read too slowly for talk; who is
told something alone differs from all others. Each frame is built when first asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

from chat.core.addressee import is_person
from chat.core.events import Hearts
from chat.core.frames import Event, Format, Lane, array_frame, pack
from chat.core.room import Member, Rank, hears

TICK_MIN_S: Final = 0.02
"""How long events are gathered when telling them takes no time."""
TICK_MAX_S: Final = 0.1
"""How long they are gathered at most."""
_SHARE: Final = 0.5

NO_NUMBER: Final = 1 << 63
"""More than any event's number."""


def tick_s(telling_s: float) -> float:
    """How long to gather events when telling the last ones took so long.

    Telling has at most two thirds of the time, however large the room and busy the node is.
    """
    return min(TICK_MAX_S, max(TICK_MIN_S, telling_s * _SHARE))


@dataclass(frozen=True, slots=True, eq=False)
class Ear:
    """Who gets the same frames, but for what is told to one person alone; see `ear`."""

    wire: Format
    rank: Rank
    deflated: bool


@cache
def ear(wire: Format, rank: Rank, deflated: bool) -> Ear:
    """The one ear there is for these: frames are found by what it is, not by what it is like.

    Only viewers' frames are deflated: what is for the seller and moderators alone would be told by
    their size, since viewers choose words that are in the same frame.
    """
    return Ear(wire, rank, deflated and rank is Rank.VIEWER)


class Batch:
    """The events of one tick, in the order they came.

    `first` and `last`: the numbers of the first and last numbered one; without any they are
    `NO_NUMBER` and 0. `alike`: whether nothing in it is for a person alone.
    """

    __slots__ = ("_frames", "_own", "_persons", "alike", "events", "first", "last")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        offsets = [event.offset for event in events if event.offset]
        self.first, self.last = (offsets[0], offsets[-1]) if offsets else (NO_NUMBER, 0)
        self._persons = frozenset(event.to for event in events if is_person(event.to))
        self.alike = not self._persons
        self._frames: tuple[dict[Ear, bytes | None], dict[Ear, bytes | None]] = ({}, {})
        self._own: dict[tuple[Ear, str, bool], bytes | None] = {}

    def frame(self, heard: Ear, member: Member, *, talk: bool) -> bytes | None:
        """The frame for such a viewer; None where nothing in it is for them.

        One with something for a person alone is never deflated.
        """
        if self.alike or member.address not in self._persons:
            return self.shared(heard, talk=talk)
        key = (heard, member.address, talk)
        if key not in self._own:
            self._own[key] = self._build(heard, member.hears, talk, deflated=False)
        return self._own[key]

    def shared(self, heard: Ear, *, talk: bool = True) -> bytes | None:
        """The frame for those who are told nothing alone."""
        frames = self._frames[talk]
        if heard not in frames:
            those = partial(hears, heard.rank)
            frames[heard] = self._build(heard, those, talk, deflated=heard.deflated)
        return frames[heard]

    def after(self, offset: int) -> "Batch":
        """The batch less the numbered events up to this one."""
        return Batch([event for event in self.events if not 0 < event.offset <= offset])

    def _build(
        self, heard: Ear, is_for: Callable[[str], bool], talk: bool, *, deflated: bool
    ) -> bytes | None:
        packed = [
            event.packed
            for event in self.events
            if (event.lane is Lane.SHOP or talk) and is_for(event.to)
        ]
        return array_frame(heard.wire, packed, deflated=deflated) if packed else None


class Gathering:
    """The events of the tick that is not over yet."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._hearts = 0

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._events or self._hearts)

    def add(self, event: Event) -> None:
        """Add an event; hearts are only counted."""
        if event.lane is Lane.HEARTS:
            self._hearts += int.from_bytes(event.packed)
        else:
            self._events.append(event)

    def forget_numbered(self) -> None:
        """Drop the numbered events: how things are is told instead."""
        self._events = [event for event in self._events if event.lane is not Lane.SHOP]

    def take(self) -> tuple[Batch, int]:
        """Everything gathered, and how many hearts; the gathering is empty afterwards."""
        events, hearts = self._events, self._hearts
        if hearts:
            events.append(Event(Lane.TALK, pack(Hearts(hearts))))
        self._events, self._hearts = [], 0
        return Batch(events), hearts
