"""What a viewer's reports tell of its path: what came through of all that it was sent, and whether
a queue stands in between.

Its picture and its repetitions, a probe's too, are sources of their own and are counted together.
A round trip (RFC 3550 §6.4.1) that takes longer than the quickest of the last half minute has
waited in a queue.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from live.relay.core.loss_share import HIGHEST_SPAN, signed
from live.relay.core.rtcp import ReportBlock

CLOCKS_KEPT: Final = 16
"""Sender reports that may be answered; older ones are forgotten."""
SAMPLES: Final = 64
QUICKEST_S: Final = 30.0
DELAY_UNIT: Final = 65_536
"""Of a second, in a report block."""


@dataclass(frozen=True, slots=True)
class Tidings:
    """By the report that came at `at` seconds: packets sent and lost so far; how long packets
    wait in queues."""

    at: float
    sent: int = 0
    lost: int = 0
    queue_s: float = 0.0


class PathReports:
    """One viewer's; `rtt_s` and `tidings` are None before the first report tells them."""

    def __init__(self) -> None:
        self.rtt_s: float | None = None
        self.tidings: Tidings | None = None
        self._clocks: deque[tuple[int, float]] = deque(maxlen=CLOCKS_KEPT)
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self._totals: dict[int, tuple[int, int]] = {}

    def told_clock(self, ntp: int, now: float) -> None:
        """A sender report left; `ntp`: its 64-bit time."""
        self._clocks.append((ntp >> 16 & 0xFFFFFFFF, now))

    def note(self, block: ReportBlock, now: float) -> None:
        """A report came, of one of the two sources."""
        before = self.tidings or Tidings(now)
        highest, lost = self._totals.get(block.ssrc, (block.highest, signed(block.lost)))
        self._totals[block.ssrc] = block.highest, signed(block.lost)
        sent = (block.highest - highest) % HIGHEST_SPAN
        if sent > HIGHEST_SPAN // 2:  # it counts anew
            sent = lost = 0
        else:
            lost = max(signed(block.lost) - lost, 0)
        self._time(block, now)
        self.tidings = Tidings(now, before.sent + sent, before.lost + lost, self._queue_s(now))

    def _time(self, block: ReportBlock, now: float) -> None:
        told_at = next((at for ntp, at in self._clocks if ntp == block.last_sr), None)
        if told_at is not None:
            self.rtt_s = max(now - told_at - block.delay / DELAY_UNIT, 0.0)
            self._samples.append((now, self.rtt_s))

    def _queue_s(self, now: float) -> float:
        if self.rtt_s is None:
            return 0.0
        recent = (rtt_s for at, rtt_s in self._samples if now - at < QUICKEST_S)
        return self.rtt_s - min(recent, default=self.rtt_s)
