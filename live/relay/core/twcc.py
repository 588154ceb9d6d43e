"""Transport-wide feedback: when which packet came, so that the publisher's estimate can rise
(draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

from struct import pack
from typing import Final

from live.relay.core.seq import Unwrapper

TICK_S: Final = 0.00025
REFERENCE_TICKS: Final = 256
"""64 ms, the unit of the reference time."""
SPAN_LIMIT: Final = 700
"""Sequence numbers one feedback may span; of a longer span only the end is told."""
AGAIN_LIMIT: Final = 300
"""A packet that came after its feedback is told by the next, unless it is further behind."""


class TransportFeedback:
    """Remembers arrivals, those of the last few feedbacks too.

    Publishers keep what was called lost until it is called received, and pass over what they
    are told twice; so a feedback begins again at a packet that came late.
    """

    def __init__(self) -> None:
        self._unwrapper = Unwrapper(16)
        self._arrivals: dict[int, float] = {}
        self._first: int | None = None
        self._oldest = 0
        self._is_news = False
        self._count = 0

    def receive(self, sequence: int, now: float) -> None:
        """A packet with this transport-wide number came at `now` seconds."""
        number = self._unwrapper.unwrap(sequence)
        if number < self._oldest or number in self._arrivals:
            return
        self._arrivals[number] = now
        self._is_news = True
        if self._first is None or number < self._first:
            self._first = number

    def build(self) -> bytes | None:
        """The body of a feedback packet after its SSRCs, for all since the last; None if none."""
        if not self._is_news or self._first is None:
            return None
        last = max(self._arrivals)
        first = max(self._first, last - SPAN_LIMIT + 1)
        body = _body(first, last, self._arrivals, self._count)
        self._count = self._count + 1 & 0xFF
        self._is_news = False
        self._first, self._oldest = last + 1, last - AGAIN_LIMIT + 1
        self._arrivals = {n: at for n, at in self._arrivals.items() if n >= self._oldest}
        return body


def _body(first: int, last: int, arrivals: dict[int, float], count: int) -> bytes:
    earliest = next(arrivals[n] for n in range(first, last + 1) if n in arrivals)
    reference = int(earliest / TICK_S) // REFERENCE_TICKS
    clock = reference * REFERENCE_TICKS
    symbols: list[int] = []
    deltas = bytearray()
    for number in range(first, last + 1):
        at = arrivals.get(number)
        if at is None:
            symbols.append(0)
            continue
        delta = min(max(round(at / TICK_S) - clock, -0x8000), 0x7FFF)
        clock += delta
        small = 0 <= delta <= 0xFF
        symbols.append(1 if small else 2)
        deltas += pack("!B", delta) if small else pack("!h", delta)
    head = pack("!HHI", first & 0xFFFF, len(symbols), (reference & 0xFFFFFF) << 8 | count)
    body = head + _chunks(symbols) + deltas
    return body + bytes(-len(body) % 4)


def _chunks(symbols: list[int]) -> bytes:
    """Status vectors of seven two-bit symbols, and run lengths where a run is longer (§3.1)."""
    chunks = bytearray()
    index = 0
    while index < len(symbols):
        run = 1
        while index + run < len(symbols) and symbols[index + run] == symbols[index] and run < 8191:
            run += 1
        if run > 7 or index + run == len(symbols):
            chunks += pack("!H", symbols[index] << 13 | run)
            index += run
            continue
        vector = symbols[index : index + 7]
        bits = 0xC000
        for position, symbol in enumerate(vector):
            bits |= symbol << 12 - 2 * position
        chunks += pack("!H", bits)
        index += 7
    return bytes(chunks)
