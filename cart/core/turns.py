"""Turns: how often each of many things may be asked about because somebody wishes it.

A thing has `TURNS_LIMIT` turns in the time that its first one begins. A wish beyond them is kept,
once for each thing, and told when that time is over: so nothing is asked about without end, and
nothing that was wished for is forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

TURNS_LIMIT: Final = 8
"""A wish beyond these waits until the time is over."""

TURNS_WITHIN_S: Final = 10.0

THINGS_LIMIT: Final = 4_096
"""Of more things at a time the oldest is forgotten, with its wish."""


@dataclass(slots=True)
class _Time:
    ends_s: float
    taken: int = 1
    missed: bool = False


class Turns:
    """The turns of each thing. Times are seconds of any clock that never runs backwards."""

    def __init__(self) -> None:
        # All times are equally long, so they end in the order in which they began.
        self._times: dict[str, _Time] = {}

    def take(self, thing: str, now_s: float) -> bool:
        """Take a turn; False, and the wish is kept, when there is none left."""
        time = self._times.get(thing)
        if time is None or time.ends_s <= now_s:
            self._times.pop(thing, None)
            if len(self._times) == THINGS_LIMIT:
                del self._times[next(iter(self._times))]
            self._times[thing] = _Time(now_s + TURNS_WITHIN_S)
            return True
        if time.taken == TURNS_LIMIT:
            time.missed = True
            return False
        time.taken += 1
        return True

    def missed(self, now_s: float, limit: int) -> Sequence[str]:
        """Things whose wishes were kept and whose time is over, at most `limit`, each told once."""
        told: list[str] = []
        while self._times and len(told) < limit:
            thing, time = next(iter(self._times.items()))
            if time.ends_s > now_s:
                break
            del self._times[thing]
            if time.missed:
                told.append(thing)
        return told
