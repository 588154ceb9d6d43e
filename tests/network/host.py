"""A publisher that is no browser: the demo's picture as real H.264, and a silent Opus track.

Key frames come two seconds apart and at no other time, whatever it is asked for; it counts how
often it is asked. The strip on top of the picture says when a frame was drawn, and `sent_at` when
it had left.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from aiortc import RTCCertificate
from aiortc.codecs.h264 import H264Encoder

from live.demo.tracks import Pace, PictureTrack
from live.relay.core import rtcp, rtp
from signaling.core.demux import Protocol, classify
from tests.bench.peers import AUDIO, VIDEO, Peer
from tests.network.seen import Seen

SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of nothing in Opus (RFC 6716 §3)."""
BEATS_PER_S: Final = 50
SAMPLES_PER_BEAT: Final = 960
REPORT_EVERY_BEATS: Final = 50
CHECK_EVERY_BEATS: Final = 125
"""Consent is renewed like a browser renews it, every few seconds (RFC 7675)."""
NTP_EPOCH_S: Final = 2_208_988_800
SSRC: Final = {VIDEO: 1001, AUDIO: 1002}


class Host(Peer):
    """Publishes while `on_air` runs."""

    direction = "sendonly"

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.sent_at: list[float] = []
        """When the last packet of each frame left, in seconds since the epoch."""
        self.asked = 0
        """Key frame requests heard."""
        self._sent = {VIDEO: 0, AUDIO: 0}
        self._newest = {VIDEO: (0, 0.0), AUDIO: (0, 0.0)}

    def since_left(self, seen: Seen) -> list[float]:
        """For each frame that says when it was drawn: ms from when it had left until it was read.

        A frame is drawn after the one before it has left.
        """
        drawn = [(frame, frame.drawn / 1000) for frame in seen.frames if frame.drawn is not None]
        places = [(frame, bisect_left(self.sent_at, at)) for frame, at in drawn]
        return [
            frame.seen_at - self.sent_at[place] * 1000
            for frame, place in places
            if place < len(self.sent_at)
        ]

    async def film(self) -> None:
        """Send the picture until cancelled."""
        track, packer = PictureTrack(), H264Encoder()
        while True:
            payloads, timestamp = packer.pack(await track.recv())
            self._newest[VIDEO] = (timestamp, time.time())
            for number, payload in enumerate(payloads, 1):
                self._packet(VIDEO, number == len(payloads), timestamp, payload)
            self.sent_at.append(time.time())

    async def keep_time(self) -> None:
        """Send silence, sender reports and consent checks until cancelled."""
        pace = Pace(BEATS_PER_S)
        while True:
            beat = await pace.next()
            self._newest[AUDIO] = (beat * SAMPLES_PER_BEAT, time.time())
            self._packet(AUDIO, False, beat * SAMPLES_PER_BEAT, SILENCE)
            if beat % REPORT_EVERY_BEATS == 0:
                self._report()
            if beat % CHECK_EVERY_BEATS == 0:
                self.check()

    def _report(self) -> None:
        for ssrc, (timestamp, at) in self._clocks().items():
            clock = int((at + NTP_EPOCH_S) * 2**32)
            report = rtcp.sender_report(ssrc, clock, timestamp, 0, 0, "host")
            self.socket.send(self.outward.protect_rtcp(report))

    def _clocks(self) -> dict[int, tuple[int, float]]:
        """By SSRC: timestamp and time of its newest packet."""
        return {SSRC[kind]: newest for kind, newest in self._newest.items()}

    def _key_frame_wanted(self, ssrc: int) -> None:
        self.asked += 1

    def _packet(self, kind: int, marker: bool, timestamp: int, payload: bytes) -> None:
        header = rtp.header(marker, kind, self._sent[kind], timestamp, SSRC[kind])
        self._sent[kind] += 1
        self.socket.send(self.outward.protect(header + payload))

    def _media(self, buffer: bytearray, size: int) -> None:
        if not self.connected_at or classify(bytes(buffer[:2])) is not Protocol.RTCP:
            return
        for heard in rtcp.parse(self.inward.unprotect_rtcp(bytes(buffer[:size]))):
            if isinstance(heard, rtcp.KeyFrameRequest):
                self._key_frame_wanted(heard.ssrc)


@asynccontextmanager
async def on_air(
    http: httpx.AsyncClient, show: str, key: str, publisher: type[Host] | None = None
) -> AsyncIterator[Host]:
    """A host, of this kind, who publishes to the show until the end."""
    host = (publisher or Host)(RTCCertificate.generateCertificate())
    await host.connect(http, f"/whip/{show}", key)
    tasks = [asyncio.create_task(host.film()), asyncio.create_task(host.keep_time())]
    try:
        yield host
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await host.leave()
