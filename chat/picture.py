"""How a show is, looked up for all who ask at once: a crowd of newcomers costs one look.

A look that has begun serves everybody who asks until it ends: it tells from which place of the
sequence on events are to be added to it, and those are known.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from chat.core.frames import Event, Snapshot
from chat.core.log import Position
from chat.core.talk import Talk
from chat.ports import Describe, Room

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Picture:
    """How things were: everything up to `position`, and so many sayings, are in `snapshot`.

    `talk`: the sayings it shows. `moderators`: who moderated then.
    """

    members: dict[str, object]
    snapshot: Snapshot
    position: Position
    said: int
    talk: Sequence[Event]
    moderators: frozenset[str]

    def showing(self, talk: Sequence[Event] | None) -> Snapshot:
        """The snapshot with other sayings, or the same for None."""
        return self.snapshot if talk is None else Snapshot(self.members | _talk(talk))


class Looks(Generic[T]):
    """Whoever asks while a look goes on gets what it finds."""

    def __init__(self) -> None:
        self._going_on: dict[str, asyncio.Task[T]] = {}

    async def share(self, what: str, look: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the look finds, or one that goes on already. What it raises is raised to all."""
        task = self._going_on.get(what)
        if task is None:
            task = self._going_on[what] = asyncio.create_task(look())
            task.add_done_callback(lambda _: self._going_on.pop(what))
        return await asyncio.shield(task)


async def look(
    show: str, describe: Describe, place: Position, talk: Talk, present: int
) -> Picture | None:
    """How things are at `place` or later; None where there is no such show."""
    room = await describe(show)
    if room is None:
        return None
    shown = talk.shown()
    members = _members(show, room, talk.hearts, present) | _talk(shown) | {"epoch": place.epoch}
    return Picture(members, Snapshot(members), place, talk.count, shown, room.moderators)


def _talk(shown: Sequence[Event]) -> dict[str, object]:
    return {"talk": [msgspec.Raw(event.packed) for event in shown]}


def _members(show: str, room: Room, hearts: int, present: int) -> dict[str, object]:
    return {
        "type": "welcome",
        "show": show,
        "now_ms": time.time_ns() // 1_000_000,
        "on_air": room.on_air,
        "stage": room.stage,
        "pinned": room.pinned,
        "products": room.products,
        "offers": room.offers,
        "present": present,
        "hearts": hearts,
        "room": room.rules.settings,
        "answers": room.answers,
    }
