"""How many watch: the sum of what each node counted lately.

A node repeats its count every beat. One that is silent for `FRESH_MS` is gone and counts no more,
whether it said goodbye or not; its entry may then be removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FRESH_MS: Final = 5_000
"""How long a node's count is believed."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one node counted, and when, in the store's milliseconds."""

    viewers: int
    at_ms: int

    def encode(self) -> bytes:
        """The count as it is kept."""
        return f"{self.viewers}:{self.at_ms}".encode()


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
