"""What came of one published source: what is missing, and the numbers of its reports.

Losses are the network's: what came by repetition only counts as lost and repaired.
"""

from typing import Final

from live.relay.core.repairs import Repairs
from live.relay.core.rtcp import ReportBlock
from live.relay.core.seq import Unwrapper

BEHIND: Final = 1_000
"""A packet further behind the newest than this is not merely late."""
FIRST_CYCLE: Final = 1 << 16
"""Where extended numbers begin here; in reports they begin at the first cycle, 0."""


class ReceiveLog:
    """One SSRC's arrivals. `repeats_as_rtx`: what is repeated comes from another SSRC."""

    def __init__(
        self, ssrc: int, clock_rate: int, repairs: Repairs, *, repeats_as_rtx: bool
    ) -> None:
        self.ssrc = ssrc
        self.repairs = repairs
        self._repeats_as_rtx = repeats_as_rtx
        self._clock_rate = clock_rate
        self._unwrapper = Unwrapper(16)
        self._first: int | None = None
        self._highest = -1
        self._received = 0
        self._reported = (0, 0)
        self._transit: float | None = None
        self._jitter = 0.0
        self._sr: tuple[int, float] | None = None
        self._behind = -1
        self.renumbered = False
        """Set when the source has begun to count anew: what it sends needs a new log."""

    def receive(self, sequence: int, timestamp: int, now: float, repeated: bool) -> int | None:
        """Note an arrival; its extended number, or None for one that came before.

        `repeated`: it came as a retransmission, and says nothing about jitter.
        """
        number = self._unwrapper.unwrap(sequence)
        if self._first is None:
            self._first, self._highest = number, number - 1
        asked = 0
        if number > self._highest:
            if number - self._highest > 1:
                self.repairs.miss(self._highest + 1, number, now)
            self._highest = number
        else:
            answer = repeated or not self._repeats_as_rtx
            missing = self.repairs.arrived(number, now, answer=answer)
            if missing is None:
                # RFC 3550 §A.1: two in a row, far behind, are not late but a new beginning
                self.renumbered = number < self._highest - BEHIND and number == self._behind + 1
                self._behind = number
                return None
            asked = missing
        if not repeated:
            self._received += 1
            if not asked:
                self._note_jitter(timestamp, now)
        return number

    def sender_report(self, ntp: int, now: float) -> None:
        """The publisher's report came."""
        self._sr = (ntp >> 16 & 0xFFFFFFFF, now)

    def report(self, now: float) -> ReportBlock:
        """The block of the next receiver report; the loss is since the last one."""
        expected = self.expected
        lost = expected - self._received
        expected_before, lost_before = self._reported
        self._reported = (expected, lost)
        interval = expected - expected_before
        fraction = min(max((lost - lost_before) * 256 // interval, 0), 255) if interval else 0
        last_sr, delay = (self._sr[0], int((now - self._sr[1]) * 65536)) if self._sr else (0, 0)
        return ReportBlock(
            self.ssrc,
            fraction,
            lost,
            self._highest - FIRST_CYCLE,
            int(self._jitter),
            last_sr,
            delay,
        )

    @property
    def lost(self) -> int:
        """Packets that did not come by themselves."""
        return max(self.expected - self._received, 0)

    @property
    def jitter_s(self) -> float:
        """The interarrival jitter (RFC 3550 §6.4.1), in seconds."""
        return self._jitter / self._clock_rate

    @property
    def expected(self) -> int:
        """Packets from the first to the newest (RFC 3550 §A.3)."""
        return 0 if self._first is None else self._highest - self._first + 1

    def _note_jitter(self, timestamp: int, now: float) -> None:
        """RFC 3550 §A.8, in timestamp units."""
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self._clock_rate:
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit
