"""A viewer as browsers are: misses, asks again, decodes in order, tells what it can take."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from live.relay.core import rtcp, rtp
from live.relay.core.seq import Unwrapper
from signaling.ports import Subscription
from tests.sim.frames import Piece, body_of, piece_of

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 102, 103, 109
SEND_TIME_ID: Final = 3
SUBSCRIPTION: Final = Subscription(
    VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE, abs_send_time=SEND_TIME_ID, remb=True
)
OUR_SSRC: Final = 7
ROUND_S: Final = 0.02
RETRY_S: Final = 0.1
TRIES: Final = 10
SKIP_S: Final = 0.1
"""A hole of this age is given up as soon as a whole key frame follows it."""
STUCK_S: Final = 0.4
"""A hole of this age means that a key frame is asked for."""
REQUEST_EVERY_S: Final = 1.0
FIRST_PATIENCE_S: Final = 0.3
"""A viewer that has not shown anything asks for a key frame this often."""
FEEDBACK_EVERY_S: Final = 0.5
REMB_EVERY_S: Final = 1.0
GROWTH: Final = 1.08**FEEDBACK_EVERY_S
"""An estimate grows by 8 % in a second, no further than half as much again as what comes, and falls
to less than what comes when a queue builds up (draft-ietf-rmcat-gcc-02 §5.5)."""
FELL: Final = 0.97
"""An estimate that falls by more than 3 % is told at once."""
DELAY_MOST_S: Final = 0.1
ESTIMATE_BEGIN: Final = 5_000_000.0
ESTIMATE_LEAST: Final = 50_000.0


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of video under its extended number."""

    timestamp: int
    marker: bool
    piece: Piece


class Viewer:
    """Receives what `hear` is given, answers through `send`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[bytes], None]) -> None:
        self.joined_at = loop.time()
        self.shown: list[tuple[float, Piece]] = []
        self.sounds = 0
        self.requests = 0
        self.estimate = ESTIMATE_BEGIN
        self.sources: dict[int, set[int]] = {}
        self.playing = True
        self.growth = GROWTH
        self._loop = loop
        self._send = send
        self._sequences, self._timestamps = Unwrapper(16), Unwrapper(32)
        self._packets: dict[int, Packet] = {}
        self._next: int | None = None
        self._highest = self._lowest = 0
        self._missing: dict[int, tuple[int, float]] = {}
        self._last_timestamp = -1
        self._fine_at = loop.time()
        self._asked_at = loop.time()
        self._bytes = 0
        self._received = self._expected_before = self._received_before = 0
        self._delays: list[float] = []
        self._delay_least = 1e9
        self._clocks: tuple[int, float] | None = None
        self._told_at, self._told = 0.0, ESTIMATE_BEGIN
        loop.call_later(ROUND_S, self._round)
        loop.call_later(FEEDBACK_EVERY_S, self._tell)

    def frozen_s(self, least: float = 0.5) -> float:
        """Seconds in which no new frame came, in pauses longer than `least`, until now."""
        times = [self.joined_at, *(at for at, _ in self.shown), self._loop.time()]
        pauses = (later - sooner for sooner, later in itertools.pairwise(times))
        return sum(pause for pause in pauses if pause > least)

    def longest_pause_s(self) -> float:
        """The longest time between two frames shown."""
        times = [at for at, _ in self.shown]
        return max((b - a for a, b in itertools.pairwise(times)), default=1e9)

    def leave(self) -> None:
        """Hear and say no more."""
        self.playing = False

    def hear(self, datagram: bytes) -> None:
        """A datagram came."""
        if not self.playing:
            return
        if 192 <= datagram[1] <= 223:
            for heard in rtcp.parse(datagram):
                if isinstance(heard, rtcp.SenderReport):
                    self._clocks = (heard.ntp >> 16 & 0xFFFFFFFF, self._loop.time())
            return
        head = rtp.parse(datagram)
        assert head is not None
        self.sources.setdefault(head.payload_type, set()).add(head.ssrc)
        self._bytes += len(datagram)
        self._delays.append(travelled(datagram, head, self._loop.time()))
        if head.payload_type == AUDIO_TYPE:
            self.sounds += 1
        elif head.payload_type == RTX_TYPE:
            if head.stop - head.start > 2:  # less is padding sent to probe
                number = int.from_bytes(datagram[head.start : head.start + 2], "big")
                self._take(head, number, datagram[head.start + 2 : head.stop], fresh=False)
        else:
            assert head.payload_type == VIDEO_TYPE
            self._take(head, head.sequence, datagram[head.start : head.stop])

    def _take(self, head: rtp.Header, sequence: int, payload: bytes, *, fresh: bool = True) -> None:
        found = piece_of(payload)
        if found is None:
            assert not payload, "a payload nobody published"
        now = self._loop.time()
        number = self._sequences.unwrap(sequence)
        if not self._highest:
            self._highest, self._lowest = number, number
        if self._missing.pop(number, None) is None and number <= self._highest:
            if number not in self._packets:  # what comes first need not be what was sent first
                self._keep(number, head, found)
            return
        for missing in range(self._highest + 1, number):
            self._missing[missing] = (0, now + ROUND_S / 2)
        self._highest = max(self._highest, number)
        self._received += fresh
        self._keep(number, head, found)

    def _keep(self, number: int, head: rtp.Header, found: tuple[Piece, bytes] | None) -> None:
        if found is None or (self._next is not None and number < self._next):
            return
        piece, body = found
        assert body == body_of(piece), "changed on its way"
        timestamp = self._timestamps.unwrap(head.timestamp)
        self._packets[number] = Packet(timestamp, head.marker, piece)
        self._lowest = min(self._lowest, number)
        self._play()

    def _play(self) -> None:
        """Show what is whole and in order; past an old hole, go on at the next key frame."""
        now = self._loop.time()
        while self._next is not None and (stop := self._whole(self._next)):
            self._show(self._next, stop)
        if not self._packets:
            self._fine_at = now
        if self._next is None or (self._packets and now - self._fine_at > SKIP_S):
            start = next((n for n in sorted(self._packets) if self._starts(n)), None)
            if start is not None:
                self._drop_before(start)
                self._next = start
                self._play()

    def _starts(self, number: int) -> bool:
        piece = self._packets[number].piece
        return piece.key and piece.index == 0 and bool(self._whole(number))

    def _whole(self, start: int) -> int:
        """The number after the frame that begins at `start`; 0 while it is not whole.

        A publisher may leave in the midst of a frame: then it ends where another begins.
        """
        packets = self._packets
        stop = start
        while (packet := packets.get(stop)) is not None:
            if packet.timestamp != packets[start].timestamp:
                return stop
            stop += 1
            if packet.marker:
                return stop
        return 0

    def _show(self, start: int, stop: int) -> None:
        packets = [self._packets.pop(n) for n in range(start, stop)]
        first = packets[0]
        self._next = stop
        assert [p.piece.index for p in packets] == list(range(len(packets))), "out of order"
        assert first.timestamp > self._last_timestamp, "time went back"
        self._last_timestamp = first.timestamp
        if not packets[-1].marker:
            return
        assert len(packets) == first.piece.count
        piece = first.piece
        before = self.shown[-1][1] if self.shown else None
        follows = before is not None and (before.epoch, before.layer, before.frame + 1) == (
            piece.epoch,
            piece.layer,
            piece.frame,
        )
        if piece.key or follows:
            self._fine_at = self._loop.time()
            self.shown.append((self._loop.time(), piece))

    def _drop_before(self, number: int) -> None:
        self._packets = {n: p for n, p in self._packets.items() if n >= number}
        self._missing = {n: m for n, m in self._missing.items() if n >= number}

    def _round(self) -> None:
        if not self.playing:
            return
        now = self._loop.time()
        due = sorted(n for n, (_, at) in self._missing.items() if now >= at)[:200]
        for number in due:
            tries, _ = self._missing[number]
            if tries < TRIES:
                self._missing[number] = (tries + 1, now + RETRY_S)
            else:
                del self._missing[number]
        video = next(iter(self.sources.get(VIDEO_TYPE, ())), None)
        if video is not None and due:
            nack = rtcp.nack(OUR_SSRC, video, [n & 0xFFFF for n in due])
            self._send(self._report(video) + nack)
        patience = REQUEST_EVERY_S if self.shown else FIRST_PATIENCE_S
        stuck = now - self._fine_at > STUCK_S or not self.shown
        stuck = stuck and now - self._asked_at > patience
        if video is not None and stuck and (self._packets or self._next is None):
            self._asked_at = now
            self.requests += 1
            self._send(rtcp.picture_loss(OUR_SSRC, video))
        self._play()
        self._loop.call_later(ROUND_S, self._round)

    def _tell(self) -> None:
        """A receiver report twice a second; REMB once, or when it fell."""
        if not self.playing:
            return
        self._estimate()
        video = next(iter(self.sources.get(VIDEO_TYPE, ())), None)
        if video is not None:
            report, now = self._report(video), self._loop.time()
            if now - self._told_at >= REMB_EVERY_S or self.estimate < FELL * self._told:
                self._told_at, self._told = now, self.estimate
                report += rtcp.remb(OUR_SSRC, int(self.estimate), [video])
            self._send(report)
        self._loop.call_later(FEEDBACK_EVERY_S, self._tell)

    def _report(self, video: int) -> bytes:
        """What came since the last report, and in all; repetitions do not count."""
        expected = self._highest - self._lowest + 1
        span = expected - self._expected_before
        lost = max(span - (self._received - self._received_before), 0)
        self._expected_before, self._received_before = expected, self._received
        last, delay = 0, 0
        if self._clocks is not None:
            last, delay = self._clocks[0], int((self._loop.time() - self._clocks[1]) * 65_536)
        fraction = min(lost * 256 // span, 255) if span > 0 else 0
        missed = expected - self._received
        block = rtcp.ReportBlock(video, fraction, missed, self._highest, 0, last, delay)
        return rtcp.receiver_report(OUR_SSRC, [block])

    def _estimate(self) -> None:
        rate, self._bytes = self._bytes * 8 / FEEDBACK_EVERY_S, 0
        delays, self._delays = self._delays, []
        self._delay_least = min([self._delay_least, *delays])
        grows = bool(delays) and delays[-1] > delays[0]
        if grows and delays[-1] - self._delay_least > DELAY_MOST_S:
            self.estimate = max(rate * 0.85, ESTIMATE_LEAST)
        else:
            self.estimate = max(
                self.estimate, min(self.estimate * self.growth, rate * 1.5 + 10_000)
            )


def travelled(datagram: bytes, head: rtp.Header, now: float) -> float:
    """How long ago a packet was sent, as it says: 6.18 fixed point seconds (abs-send-time)."""
    stamp = rtp.extension(datagram, head, SEND_TIME_ID)
    assert stamp is not None
    return (int(now * (1 << 18)) - int.from_bytes(stamp, "big") & 0xFFFFFF) / (1 << 18)


def nacks(datagram: bytes) -> bool:
    """Whether the datagram asks for packets again."""
    return any(isinstance(heard, rtcp.Nack) for heard in rtcp.parse(datagram))
