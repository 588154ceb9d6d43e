"""How many watch: the sum of what each node counted lately; who came, each once.

A node repeats its count every beat. One that is silent for `FRESH_MS` is gone and counts no more,
whether it said goodbye or not; its entry may then be removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FRESH_MS: Final = 5_000
"""How long a node's count is believed."""
ARRIVALS_LIMIT: Final = 50_000
"""So many visitors wait at most to be counted; more go uncounted."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one node counted, and when, in the store's milliseconds."""

    viewers: int
    at_ms: int

    def encode(self) -> bytes:
        """The count as it is kept."""
        return f"{self.viewers}:{self.at_ms}".encode()


@dataclass(frozen=True, slots=True)
class Attendance:
    """How many watch a show now, how many did at most, and how many different ones came.

    `visitors` is estimated, with a standard error of 0.81 % (Flajolet et al., HyperLogLog, 2007).
    """

    viewers: int
    peak: int
    visitors: int


class Arrivals:
    """Who came since they were last counted, each once."""

    def __init__(self) -> None:
        self._waiting: set[str] = set()

    def add(self, *visitors: str) -> None:
        """They came, or are to be counted after all."""
        room = ARRIVALS_LIMIT - len(self._waiting)
        self._waiting.update(visitors[: max(room, 0)])

    def take(self) -> frozenset[str]:
        """Those who wait; from now on nobody does."""
        taken, self._waiting = frozenset(self._waiting), set()
        return taken


def decode_count(kept: bytes) -> Count | None:
    """What `Count.encode` kept; None for anything else."""
    viewers, _, at_ms = kept.partition(b":")
    if viewers.isdigit() and at_ms.isdigit():
        return Count(int(viewers), int(at_ms))
    return None


def present(counts: Mapping[str, Count], now_ms: int) -> int:
    """How many watch on all fresh nodes together."""
    return sum(count.viewers for count in counts.values() if now_ms - count.at_ms <= FRESH_MS)


def gone(counts: Mapping[str, Count], now_ms: int) -> list[str]:
    """The nodes whose entries are stale."""
    return [node for node, count in counts.items() if now_ms - count.at_ms > FRESH_MS]
