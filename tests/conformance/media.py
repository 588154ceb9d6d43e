"""A show made of nothing: small real frames and silence, sent by a peer at their true pace."""

import asyncio
import time
from fractions import Fraction
from itertools import cycle
from typing import Final

import av
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtp import RtcpSdesPacket, RtcpSenderInfo, RtcpSourceInfo, RtcpSrPacket, RtpPacket

from tests.conformance.peer import Peer
from tests.conformance.sdp import Section

FRAMES: Final = 15
FRAME_S: Final = 1 / 30
AUDIO_PER_S: Final = 50
SILENCE: Final = b"\xf8\xff\xfe"
"""An Opus packet of 20 ms of silence."""
NTP_EPOCH_S: Final = 2_208_988_800
SSRC: Final = {"audio": 0x6B6B6F01, "video": 0x6B6B6F02}
CLOCK: Final = {"audio": 48_000, "video": 90_000}
REPORT_EVERY: Final = 30
VIDEO_TICK: Final = Fraction(1, 90_000)


def frames(codec: str) -> list[list[bytes]]:
    """The RTP payloads of half a second of picture that begins with a key frame."""
    encoder = H264Encoder() if codec == "h264" else Vp8Encoder()
    made = []
    for number in range(FRAMES):
        frame = av.VideoFrame(320, 240, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([(64 + 4 * number) & 255]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 3000, VIDEO_TICK
        payloads, _ = encoder.encode(frame, force_keyframe=number == 0)
        made.append(payloads)
    return made


class Show:
    """Sends what the answer asked for until it is stopped."""

    def __init__(self, peer: Peer, sections: list[Section]) -> None:
        self._peer = peer
        self._codecs = {section.kind: section.codec() for section in sections if section.port}
        video = self._codecs.get("video")
        self._frames = cycle(frames(video[1]) if video else [[]])
        self._begun = 0.0
        self._tick = self._audio_sent = 0
        self._sent = {"audio": 0, "video": 0}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Start to send."""
        self._begun = asyncio.get_running_loop().time()
        self._on_tick()

    def stop(self) -> None:
        """Send nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _on_tick(self) -> None:
        loop = asyncio.get_running_loop()
        payloads = next(self._frames)
        for place, payload in enumerate(payloads, 1):
            self._packet("video", payload, self._tick * FRAME_S, last=place == len(payloads))
        while self._audio_sent < self._tick * FRAME_S * AUDIO_PER_S:
            self._packet("audio", SILENCE, self._audio_sent / AUDIO_PER_S, last=False)
            self._audio_sent += 1
        if self._tick % REPORT_EVERY == 0:
            self._report()
        self._tick += 1
        self._timer = loop.call_at(self._begun + self._tick * FRAME_S, self._on_tick)

    def _packet(self, kind: str, payload: bytes, at_s: float, *, last: bool) -> None:
        if kind not in self._codecs:
            return
        packet = RtpPacket(
            payload_type=self._codecs[kind][0],
            marker=int(last),
            sequence_number=self._sent[kind] & 0xFFFF,
            timestamp=int(at_s * CLOCK[kind]),
            ssrc=SSRC[kind],
            payload=payload,
        )
        self._sent[kind] += 1
        self._peer.send(packet.serialize())

    def _report(self) -> None:
        """The clocks of both tracks (RFC 3550 §6.4.1)."""
        now = time.time() + NTP_EPOCH_S
        for kind in self._codecs:
            info = RtcpSenderInfo(
                ntp_timestamp=int(now * 2**32),
                rtp_timestamp=int(self._tick * FRAME_S * CLOCK[kind]),
                packet_count=self._sent[kind],
                octet_count=0,
            )
            source = RtcpSourceInfo(ssrc=SSRC[kind], items=[(1, b"conformance")])
            report = bytes(RtcpSrPacket(SSRC[kind], info)) + bytes(RtcpSdesPacket([source]))
            self._peer.send_rtcp(report)
