"""What came of one published source: losses to ask again for, and the numbers of its reports."""

from typing import Final

from live.relay.core.rtcp import ReportBlock
from live.relay.core.seq import Unwrapper

MISSING_LIMIT: Final = 300
"""Packets that may be missing at a time; beyond, a key frame is asked for instead."""
NACK_RETRY_S: Final = 0.1
NACK_TRIES: Final = 8
FIRST_CYCLE: Final = 1 << 16
"""Where extended numbers begin here; in reports they begin at the first cycle, 0."""


class ReceiveLog:
    """One SSRC's arrivals."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self._clock_rate = clock_rate
        self._unwrapper = Unwrapper(16)
        self._first: int | None = None
        self._highest = -1
        self._received = 0
        self._missing: dict[int, tuple[int, float]] = {}
        self._reported = (0, 0)
        self._transit: float | None = None
        self._jitter = 0.0
        self._sr: tuple[int, float] | None = None
        self.gave_up = False
        """Set when packets are lost for good: only a key frame heals that."""

    def receive(self, sequence: int, timestamp: int, now: float, repeated: bool) -> int | None:
        """Note an arrival; its extended number, or None for one that came before.

        `repeated`: it came as a retransmission, and says nothing about jitter.
        """
        number = self._unwrapper.unwrap(sequence)
        if self._first is None:
            self._first, self._highest = number, number - 1
        if number > self._highest:
            self._note_gap(number, now)
            self._highest = number
        elif self._missing.pop(number, None) is None:
            return None
        self._received += 1
        if not repeated:
            self._note_jitter(timestamp, now)
        return number

    def to_ask_again(self, now: float) -> list[int]:
        """Extended numbers to NACK now, ascending; each is asked for a bounded number of times."""
        due = [n for n, (_, at) in self._missing.items() if now >= at]
        for number in due:
            tries = self._missing[number][0] + 1
            if tries > NACK_TRIES:
                del self._missing[number]
                self.gave_up = True
            else:
                self._missing[number] = (tries, now + NACK_RETRY_S)
        return sorted(n for n in due if n in self._missing)

    def sender_report(self, ntp: int, now: float) -> None:
        """The publisher's report came."""
        self._sr = (ntp >> 16 & 0xFFFFFFFF, now)

    def report(self, now: float) -> ReportBlock:
        """The block of the next receiver report; the loss is since the last one."""
        expected = self._highest - (self._first or 0) + 1
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

    def _note_gap(self, number: int, now: float) -> None:
        gap = number - self._highest - 1
        if gap + len(self._missing) > MISSING_LIMIT:
            self._missing.clear()
            self.gave_up = True
        else:
            for missing in range(self._highest + 1, number):
                self._missing[missing] = (0, now)

    def _note_jitter(self, timestamp: int, now: float) -> None:
        """RFC 3550 §A.8, in timestamp units."""
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self._clock_rate:
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit
