"""Groups packets so that each group leaves in one system call: equal sizes, the last may be
shorter (udp(7), UDP_SEGMENT)."""

from collections.abc import Sequence
from typing import Final

from signaling.ports import Batch, Run

RUN_PACKETS: Final = 32
RUN_BYTES: Final = 44_000


def batch(packets: Sequence[bytes]) -> Batch:
    """The packets with their runs, in order."""
    runs: list[Run] = []
    start, count = 0, len(packets)
    while start < count:
        size = len(packets[start])
        limit = min(start + RUN_PACKETS, start + RUN_BYTES // size, count)
        stop = start + 1
        while stop < limit and len(packets[stop]) == size:
            stop += 1
        if stop < limit and len(packets[stop]) < size:
            stop += 1
        runs.append(Run(tuple(packets[start:stop])))
        start = stop
    return Batch(runs)
