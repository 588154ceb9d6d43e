"""How often each of many may come: a few times at once, then at a steady pace.

The generic cell rate algorithm (ITU-T I.371, annex A): of each key only the moment is kept until
which it has used up its due, and a moment that has passed need not be kept at all.
"""

from typing import Final

SWEEP_LEAST: Final = 64


class Pace:
    """`burst` times at once, and once more every `every_s`."""

    def __init__(self, burst: int, every_s: float) -> None:
        self._every_s = every_s
        self._ahead_s = (burst - 1) * every_s
        self._used_until: dict[str, float] = {}
        self._sweep_at = SWEEP_LEAST

    def __len__(self) -> int:
        """How many keys are remembered; those that wait long enough are forgotten."""
        return len(self._used_until)

    def wait_s(self, key: str, now: float) -> float:
        """Come once: 0.0 when that is in order, else the seconds to wait; it was not counted."""
        used_until = max(self._used_until.get(key, now), now)
        if used_until - now > self._ahead_s:
            return used_until - now - self._ahead_s
        self._used_until[key] = used_until + self._every_s
        if len(self._used_until) > self._sweep_at:
            self._used_until = {k: at for k, at in self._used_until.items() if at > now}
            self._sweep_at = max(2 * len(self._used_until), SWEEP_LEAST)
        return 0.0
