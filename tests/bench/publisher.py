"""A publisher of 2.4 Mbit/s: prepared H.264 and Opus packets, paced as a browser paces them.

Frames leave in bursts of `BURST` packets every 5 ms, which is libwebrtc's pacer at 2.5 times the
bitrate. Each packet carries the moment it was sent.
"""

import asyncio
import time
from collections import deque
from struct import pack, unpack_from
from typing import Final

from aiortc import RTCCertificate

from live.relay.core import rtcp, rtp
from tests.bench.peers import AUDIO, VIDEO, Peer

FRAMES_PER_S: Final = 30
KEY_FRAME_EVERY: Final = 60
PAYLOAD_BYTES: Final = 1100
KEY_FRAME_BYTES: Final = 40 * PAYLOAD_BYTES
FRAME_BYTES: Final = 8 * PAYLOAD_BYTES + 624
BEAT_S: Final = 0.005
BURST: Final = 3
AUDIO_EVERY_BEATS: Final = 4
AUDIO_BYTES: Final = 90
REPORT_EVERY_BEATS: Final = 200
CHECK_EVERY_BEATS: Final = 500
"""Consent is renewed like a browser renews it, every few seconds (RFC 7675)."""
VIDEO_SSRC: Final = 1001
AUDIO_SSRC: Final = 1002
FU_INDICATOR: Final = 0x7C
STAMP_AT: Final = rtp.HEADER_BYTES + 2
"""Where a packet's moment stands, in nanoseconds since the epoch."""


class Publisher(Peer):
    """Publishes from `begin` until it leaves."""

    direction = "sendonly"

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self._began = 0.0
        self._beat = 0
        self._frame = 0
        self._waiting: deque[tuple[int, bytes, bool]] = deque()
        self._sent = {VIDEO: 0, AUDIO: 0}
        self._filler = bytes(range(256)) * 5
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start to send."""
        self._began = asyncio.get_running_loop().time()
        self._on_beat()

    async def leave(self) -> None:
        """Stop sending, then leave."""
        if self._timer is not None:
            self._timer.cancel()
        await super().leave()

    def _on_beat(self) -> None:
        loop = asyncio.get_running_loop()
        while self._began + self._beat * BEAT_S <= loop.time():
            self._send_beat()
            self._beat += 1
        self._timer = loop.call_at(self._began + self._beat * BEAT_S, self._on_beat)

    def _send_beat(self) -> None:
        if self._beat * BEAT_S * FRAMES_PER_S >= self._frame:
            self._waiting.extend(self._packetize())
            self._frame += 1
        for _ in range(min(BURST, len(self._waiting))):
            timestamp, payload, last = self._waiting.popleft()
            self._packet(VIDEO, VIDEO_SSRC, last, timestamp, payload[:2], payload[2:])
        if self._beat % AUDIO_EVERY_BEATS == 0:
            timestamp = self._beat // AUDIO_EVERY_BEATS * 960
            filler = self._filler[:AUDIO_BYTES]
            self._packet(AUDIO, AUDIO_SSRC, False, timestamp, filler[:2], filler[2:])
        if self._beat % CHECK_EVERY_BEATS == 0:
            self.check()
        if self._beat % REPORT_EVERY_BEATS == 0:
            clock = time.time_ns() * 2**32 // 10**9 + (2_208_988_800 << 32)
            timestamp = self._frame * 90_000 // FRAMES_PER_S
            report = rtcp.sender_report(VIDEO_SSRC, clock, timestamp, 0, 0, "bench")
            self.socket.send(self.outward.protect_rtcp(report))

    def _packetize(self) -> list[tuple[int, bytes, bool]]:
        """The next frame as FU-A payloads (RFC 6184 §5.8)."""
        is_key = self._frame % KEY_FRAME_EVERY == 0
        kind = 5 if is_key else 1
        size = KEY_FRAME_BYTES if is_key else FRAME_BYTES
        timestamp = self._frame * 90_000 // FRAMES_PER_S
        starts = range(0, size, PAYLOAD_BYTES)
        return [
            (
                timestamp,
                bytes((FU_INDICATOR, (start == 0) << 7 | (start == starts[-1]) << 6 | kind))
                + self._filler[: min(PAYLOAD_BYTES, size - start) - 2],
                start == starts[-1],
            )
            for start in starts
        ]

    def _packet(
        self, kind: int, ssrc: int, marker: bool, timestamp: int, head: bytes, body: bytes
    ) -> None:
        header = rtp.header(marker, kind, self._sent[kind], timestamp, ssrc)
        self._sent[kind] += 1
        stamp = pack("!Q", time.time_ns())
        self.socket.send(self.outward.protect(header + head + stamp + body[8:]))


def sent_ns(packet: bytes) -> int:
    """When a packet, decrypted, was sent by its publisher."""
    sent: int = unpack_from("!Q", packet, STAMP_AT)[0]
    return sent
