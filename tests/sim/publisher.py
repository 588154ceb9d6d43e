"""A publisher as browsers are: numbered RTP, repairs on request, key frames when asked or due.

In simulcast a layer's packets carry its rid until a report tells that its SSRC is known, and what
the rate does not reach for is silent, the largest layer first.
"""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from struct import pack, unpack_from
from typing import Final

from live.relay.core import rtcp
from live.relay.core.rtp import header
from signaling.ports import Codec, Publication, Track
from tests.sim.frames import Name, Piece

FRAME_S: Final = 1 / 30
SOUND_S: Final = 0.02
PAYLOAD_BYTES: Final = 950
SOUND_BYTES: Final = 80
HISTORY: Final = 1_000
VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 96, 97, 111
SEND_TIME_ID, TWCC_ID, RID_ID, REPAIRED_RID_ID = 3, 5, 10, 11
LAYERS: Final = ("q", "h", "f")
SHARES: Final = (0.1, 0.25, 0.65)
FEEDBACK_SPAN_S: Final = 0.5
GROWTH: Final = 1.08**0.06
"""By a feedback, of which about one comes each 60 ms."""
RATE_LEAST: Final = 150_000
RTX_NAMED: Final = 20
"""So many repetitions carry their rid."""


@dataclass
class Source:
    """One SSRC's counting; `share` of the publisher's rate."""

    ssrc: int
    rtx_ssrc: int
    sequence: int
    timestamp: int
    rid: bytes = b""
    share: float = 1.0
    is_known: bool = False
    is_silent: bool = False
    rtx_sequence: int = 0
    packets: int = 0
    octets: int = 0
    wants_key: bool = True
    since_key: int = 0
    history: OrderedDict[int, bytes] = field(default_factory=OrderedDict)


@dataclass(frozen=True, slots=True)
class Habits:
    """How a publisher behaves. `key_every_s`: None for key frames only when asked.

    `twcc`: False for one that takes REMB instead. `sequence` and `timestamp` are where its
    numbers begin.
    """

    codec: Name = "H264"
    bitrate: int = 600_000
    key_every_s: float | None = 2.0
    simulcast: bool = False
    twcc: bool = True
    sequence: int | None = None
    timestamp: int | None = None


class Publisher:
    """Sends until `stop`; `send` puts a datagram on its way to the relay."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        habits: Habits,
        epoch: int,
        chance: Random,
        send: Callable[[bytes], None],
    ) -> None:
        self.habits = habits
        self.epoch = epoch
        self.frames = 0
        self.rate = float(habits.bitrate)
        self.requests: list[float] = []
        self.key_frames = 0
        self.repairs = 0
        self._loop = loop
        self._send = send
        self._stopped = False
        self._transport_number = chance.randrange(1 << 16)
        rids = LAYERS if habits.simulcast else ("",)
        self._video = [
            self._source(chance, rid.encode(), SHARES[n] if rid else 1.0)
            for n, rid in enumerate(rids)
        ]
        self._audio = self._source(chance, b"", 0.0)
        self._by_ssrc = {source.ssrc: source for source in self._video}
        self._began = loop.time()
        self._told: deque[tuple[float, int, int]] = deque()
        self._fell_at = 0.0

    def publication(self) -> Publication:
        """What its offer would have agreed."""
        name = self.habits.codec
        video = Codec(name, 90_000, VIDEO_TYPE, RTX_TYPE, {})
        sound = Codec("opus", 48_000, AUDIO_TYPE, None, {})
        layers, twcc = LAYERS if self.habits.simulcast else (), self.habits.twcc
        rid, repaired = (RID_ID, REPAIRED_RID_ID) if layers else (None, None)
        picture = Track(
            *("video", "0", video, None, None, None, None, True, True, twcc, not twcc),
            layers=layers,
            rid_id=rid,
            repaired_rid_id=repaired,
        )
        voice = Track("audio", "1", sound, None, None, None, None, False, False, twcc, not twcc)
        return Publication(
            tuple(
                replace(track, twcc_id=TWCC_ID)
                if twcc
                else replace(track, abs_send_time_id=SEND_TIME_ID)
                for track in (picture, voice)
            )
        )

    def start(self) -> None:
        """Begin to send."""
        self._film()
        self._speak()
        self._report()

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def hear(self, compound: bytes) -> None:
        """Feedback came: repair, make key frames, keep to the rate that gets through."""
        for heard in rtcp.parse(compound):
            if isinstance(heard, rtcp.ReceiverReport):
                for block in heard.blocks:
                    if block.ssrc in self._by_ssrc:
                        self._by_ssrc[block.ssrc].is_known = True
            if not isinstance(heard, rtcp.Nack | rtcp.KeyFrameRequest):
                continue
            source = self._by_ssrc.get(heard.ssrc)
            if source is None:
                continue
            if isinstance(heard, rtcp.Nack):
                for sequence in heard.sequences:
                    self._repair(source, sequence)
            else:
                self.requests.append(self._loop.time())
                source.wants_key = True
        self._adapt(compound)

    def _source(self, chance: Random, rid: bytes, share: float) -> Source:
        begin, clock = self.habits.sequence, self.habits.timestamp
        return Source(
            ssrc=chance.randrange(2, 1 << 32),
            rtx_ssrc=chance.randrange(2, 1 << 32),
            sequence=chance.randrange(1 << 16) if begin is None else begin,
            timestamp=chance.randrange(1 << 32) if clock is None else clock,
            rid=rid,
            share=share,
        )

    def _film(self) -> None:
        if self._stopped:
            return
        now = self._loop.time()
        rates = allotted(self.rate, [s.share * self.habits.bitrate for s in self._video])
        for layer, (source, rate) in enumerate(zip(self._video, rates, strict=True)):
            if rate:
                source.wants_key = source.wants_key or source.is_silent
                self._frame(layer, source, rate, now)
            source.is_silent = not rate
        self.frames += 1
        self._loop.call_at(self._began + self.frames * FRAME_S, self._film)

    def _frame(self, layer: int, source: Source, rate: float, now: float) -> None:
        every = self.habits.key_every_s
        key = source.wants_key or (every is not None and source.since_key >= every / FRAME_S)
        source.since_key = 0 if key else source.since_key + 1
        source.wants_key = False
        self.key_frames += key
        size = int(rate * FRAME_S / 8 * (4 if key else 1))
        count = math.ceil(size / PAYLOAD_BYTES)
        timestamp = source.timestamp + round(self.frames * FRAME_S * 90_000)
        for index in range(count):
            share = min(size - index * PAYLOAD_BYTES, PAYLOAD_BYTES)
            piece = Piece(self.epoch, layer, self.frames, index, count, share, key, now)
            payload = piece.payload(self.habits.codec)
            self._emit(source, VIDEO_TYPE, index == count - 1, timestamp, payload)

    def _speak(self) -> None:
        if self._stopped:
            return
        now = self._loop.time()
        timestamp = self._audio.timestamp + self._audio.packets * 960
        piece = Piece(self.epoch, 255, self._audio.packets, 0, 1, SOUND_BYTES, False, now)
        self._emit(self._audio, AUDIO_TYPE, False, timestamp, piece.body())
        self._loop.call_at(now + SOUND_S, self._speak)

    def _emit(self, source: Source, kind: int, marker: bool, timestamp: int, body: bytes) -> None:
        head = header(marker, kind, source.sequence, timestamp, source.ssrc)
        source.history[source.sequence & 0xFFFF] = head + body
        if len(source.history) > HISTORY:
            source.history.popitem(last=False)
        source.sequence += 1
        source.packets += 1
        source.octets += len(body)
        rid = b"" if source.is_known else source.rid
        self._send(self._extended(head, rid, RID_ID) + body)

    def _repair(self, source: Source, sequence: int) -> None:
        packet = source.history.get(sequence)
        if packet is None:
            return
        self.repairs += 1
        head = pack("!BBH", 0x80, packet[1] & 0x80 | RTX_TYPE, source.rtx_sequence & 0xFFFF)
        source.rtx_sequence += 1
        head += packet[4:8] + pack("!I", source.rtx_ssrc)
        rid = b"" if source.rtx_sequence > RTX_NAMED else source.rid
        repaired = self._extended(head, rid, REPAIRED_RID_ID)
        self._send(repaired + packet[2:4] + packet[12:])

    def _extended(self, head: bytes, rid: bytes, rid_id: int) -> bytes:
        """The header with its transport-wide number, or when it is sent, and, of a layer, its rid
        (RFC 8285)."""
        if self.habits.twcc:
            number = pack("!BH", TWCC_ID << 4 | 1, self._transport_number & 0xFFFF)
            self._transport_number += 1
        else:
            stamp = int(self._loop.time() * (1 << 18)) & 0xFFFFFF
            number = pack("!I", (SEND_TIME_ID << 4 | 2) << 24 | stamp)
        named = pack("!B", rid_id << 4 | len(rid) - 1) + rid if rid else b""
        elements = number + named + bytes(-len(number + named) % 4)
        return b"\x90" + head[1:] + pack("!HH", 0xBEDE, len(elements) // 4) + elements

    def _report(self) -> None:
        if self._stopped:
            return
        now = self._loop.time()
        ntp = int((now + 2_208_988_800) * 2**32) & (1 << 64) - 1
        elapsed = now - self._began
        for source, rate in [*((s, 90_000) for s in self._video), (self._audio, 48_000)]:
            timestamp = source.timestamp + int(elapsed * rate)
            self._send(
                rtcp.sender_report(
                    source.ssrc, ntp, timestamp, source.packets, source.octets, "seller"
                )
            )
        self._loop.call_at(now + 1.0, self._report)

    def _adapt(self, compound: bytes) -> None:
        """As REMB says; by transport-wide feedback, what came through when much is lost, else
        faster (draft-ietf-rmcat-gcc-02 §5.5, §6)."""
        offset = 0
        while offset + 8 <= len(compound):
            first, kind, words = unpack_from("!BBH", compound, offset)
            packet = compound[offset : offset + 4 + 4 * words]
            if kind == rtcp.PSFB and first & 31 == rtcp.AFB and packet[12:16] == b"REMB":
                (word,) = unpack_from("!I", packet, 16)
                self.rate = float((word & 0x3FFFF) << (word >> 18 & 63))
            elif kind == rtcp.RTPFB and first & 31 == rtcp.TWCC:
                self._heed(*received_of(packet[12:]))
            offset += 4 + 4 * words
        self.rate = min(max(self.rate, RATE_LEAST), self.habits.bitrate)

    def _heed(self, received: int, told: int) -> None:
        now = self._loop.time()
        self._told.append((now, received, told))
        while now - self._told[0][0] > FEEDBACK_SPAN_S:
            self._told.popleft()
        came = sum(received for _, received, _ in self._told)
        lost = 1 - came / max(sum(told for *_, told in self._told), 1)
        if lost > 0.1 and now - self._fell_at > FEEDBACK_SPAN_S:
            self._fell_at = now
            through = came * PAYLOAD_BYTES * 8 / FEEDBACK_SPAN_S
            self.rate = min(self.rate * (1 - lost / 2), max(through, self.rate / 4))
        elif lost < 0.02:
            self.rate *= GROWTH


def allotted(rate: float, most: Sequence[float]) -> list[float]:
    """What each layer gets of the rate, the smallest first; a layer after it that would not get
    half of its most is silent, and so are those above."""
    given: list[float] = []
    for each in most:
        share = min(each, rate) if not given or rate >= each / 2 else 0.0
        given.append(share)
        rate = rate - share if share else 0.0
    return given


def received_of(body: bytes) -> tuple[int, int]:
    """How many packets a transport-wide feedback calls received, and how many it tells of."""
    (count,) = unpack_from("!H", body, 2)
    received = told = 0
    offset = 8
    while told < count:
        (chunk,) = unpack_from("!H", body, offset)
        offset += 2
        if chunk >> 15 == 0:
            run = min(chunk & 0x1FFF, count - told)
            received += run if chunk >> 13 else 0
            told += run
            continue
        two_bits = chunk >> 14 & 1
        for place in range(7 if two_bits else 14):
            if told < count:
                width = 2 if two_bits else 1
                received += bool(chunk >> (14 - width * (place + 1)) & (1 << width) - 1)
                told += 1
    return received, told
