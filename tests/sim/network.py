"""One direction of a network: what it loses, delays, repeats and reorders is drawn from a seed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

TIE_S: Final = 1e-7
"""Keeps apart what would come at the same moment: loops do not order ties."""


@dataclass(frozen=True, slots=True)
class Path:
    """The qualities of a way.

    `bursts`: Gilbert's chances, per packet, of going bad and of recovering; what is sent in the
    bad state is lost. `outages`: spans of time in which everything is lost. `reordered`: the
    share of packets that come up to `reorder_s` late, past their followers. `bandwidth_bps` with
    a queue of at most `queue_s`; what does not fit is dropped.
    """

    delay_s: float = 0.03
    jitter_s: float = 0.0
    loss: float = 0.0
    bursts: tuple[float, float] | None = None
    outages: Sequence[tuple[float, float]] = ()
    duplicated: float = 0.0
    reordered: float = 0.0
    reorder_s: float = 0.02
    bandwidth_bps: float | None = None
    queue_s: float = 0.3


class Wire:
    """Carries datagrams to whoever `deliver` is, along a path that may change at any time.

    It counts datagrams that entered and that were lost, for whatever reason; those of them that
    found the queue full; and the bytes it carried.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        path: Path,
        chance: Random,
        refuses: Callable[[bytes], bool] = lambda _: False,
    ) -> None:
        self.path = path
        self.deliver: Callable[[bytes], None] = lambda _: None
        self.sent = self.lost = self.overflowed = self.octets = 0
        self._loop = loop
        self._chance = chance
        self._refuses = refuses
        self._bad = False
        self._free_at = 0.0
        self._last_at = 0.0

    def send(self, datagram: bytes) -> None:
        """A datagram enters; it comes out never, once or twice."""
        now = self._loop.time()
        self.sent += 1
        queued = self._queue(len(datagram), now)
        self.overflowed += queued is None
        if queued is None or self._refuses(datagram) or self._is_lost(now):
            self.lost += 1
            return
        self._carry(datagram, queued)
        if self._chance.random() < self.path.duplicated:
            self._carry(datagram, queued)

    def _queue(self, size: int, now: float) -> float | None:
        """When it has left the bottleneck; None when the queue is full."""
        if self.path.bandwidth_bps is None:
            return now
        begins = max(now, self._free_at)
        if begins - now > self.path.queue_s:
            return None
        self._free_at = begins + size * 8 / self.path.bandwidth_bps
        return self._free_at

    def _is_lost(self, now: float) -> bool:
        path, chance = self.path, self._chance
        if path.bursts is not None:
            goes_bad, recovers = path.bursts
            self._bad = chance.random() >= recovers if self._bad else chance.random() < goes_bad
            if self._bad:
                return True
        if any(start <= now < stop for start, stop in path.outages):
            return True
        return chance.random() < path.loss

    def _carry(self, datagram: bytes, left_at: float) -> None:
        path = self.path
        self.octets += len(datagram)
        at = left_at + path.delay_s + self._chance.random() * path.jitter_s
        if self._chance.random() < path.reordered:
            at += self._chance.random() * path.reorder_s
        else:
            self._last_at = at = max(at, self._last_at + TIE_S)
        self._loop.call_at(at, self.deliver, datagram)
