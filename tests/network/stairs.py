"""A publisher that is no browser and sends the demo's picture in three sizes, by rid (RFC 8853).

Each layer takes exactly the bitrate it is given, with filler data where the picture needs less, and
brings a key frame when it is asked for one or two seconds have passed.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from struct import pack
from typing import Final

import av
import numpy as np
from aiortc import RTCCertificate
from aiortc.codecs.h264 import H264Encoder
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from live.demo.picture import HEIGHT, WIDTH, Bytes, Picture
from live.demo.tracks import Pace
from live.relay.core import rtp
from tests.bench.peers import AUDIO, VIDEO
from tests.network.host import Host

FRAMES_PER_S: Final = 30
KEY_FRAME_EVERY: Final = 2 * FRAMES_PER_S
CLOCK_RATE: Final = 90_000
RID_URI: Final = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
RID_ID: Final = 4
FIRST_SSRC: Final = 2_001


@dataclass(frozen=True, slots=True)
class Step:
    """One layer: its rid, by how much it is smaller than the demo's picture, bits per second."""

    rid: str
    smaller: int
    bitrate: int

    @property
    def height(self) -> int:
        """Its lines."""
        return HEIGHT // self.smaller


STEPS: Final = (Step("q", 8, 150_000), Step("h", 4, 500_000), Step("f", 2, 1_200_000))


class Stairs(Host):
    """Publishes while `on_air` runs."""

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self._sent |= {FIRST_SSRC + n: 0 for n in range(len(STEPS))}
        self._wanted: set[int] = set()

    def describe(self) -> str:
        """The offer, with the layers."""
        rids = [f"a=rid:{step.rid} send" for step in STEPS]
        layers = "a=simulcast:send " + ";".join(step.rid for step in STEPS)
        more = "\r\n".join([f"a=extmap:{RID_ID} {RID_URI}", *rids, layers])
        picture, audio, sound = super().describe().partition("m=audio")
        return picture + more + "\r\n" + audio + sound

    async def film(self) -> None:
        """Send the picture in all sizes until cancelled."""
        picture, packer, pace = Picture(), H264Encoder(), Pace(FRAMES_PER_S)
        encoders = [_encoder(step) for step in STEPS]
        while True:
            number = await pace.next()
            planes = await asyncio.to_thread(picture.draw, time.time_ns() // 1_000_000, "")
            self._newest[VIDEO] = (number * CLOCK_RATE // FRAMES_PER_S, time.time())
            for layer, (step, encoder) in enumerate(zip(STEPS, encoders, strict=True)):
                frame = _frame(planes, step.smaller, number)
                if FIRST_SSRC + layer in self._wanted:
                    self._wanted.discard(FIRST_SSRC + layer)
                    frame.pict_type = PictureType.I
                for encoded in await asyncio.to_thread(encoder.encode, frame):
                    self._send_frame(layer, *packer.pack(encoded))

    def _send_frame(self, layer: int, payloads: Sequence[bytes], timestamp: int) -> None:
        ssrc = FIRST_SSRC + layer
        name = pack("!BB2x", RID_ID << 4, ord(STEPS[layer].rid))
        for number, payload in enumerate(payloads, 1):
            last = number == len(payloads)
            head = rtp.header(last, VIDEO, self._sent[ssrc], timestamp, ssrc)
            extended = b"\x90" + head[1:] + pack("!HH", rtp.ONE_BYTE_PROFILE, 1) + name
            self._sent[ssrc] += 1
            self.socket.send(self.outward.protect(extended + payload))

    def _key_frame_wanted(self, ssrc: int) -> None:
        super()._key_frame_wanted(ssrc)
        self._wanted.add(ssrc)

    def _clocks(self) -> dict[int, tuple[int, float]]:
        layers = {FIRST_SSRC + n: self._newest[VIDEO] for n in range(len(STEPS))}
        return layers | {AUDIO: self._newest[AUDIO]}


def _frame(planes: Bytes, smaller: int, number: int) -> av.VideoFrame:
    """The demo's picture with each line and row but every so manieth left out."""
    luma = planes[:HEIGHT][::smaller, ::smaller]
    chroma = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)[:, ::smaller, ::smaller]
    rows = chroma.reshape(-1, luma.shape[1])
    frame = av.VideoFrame.from_ndarray(np.concatenate((luma, rows)), format="yuv420p")
    frame.pts = number * CLOCK_RATE // FRAMES_PER_S
    frame.time_base = Fraction(1, CLOCK_RATE)
    return frame


def _encoder(step: Step) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = WIDTH // step.smaller, step.height
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, CLOCK_RATE)
    encoder.framerate = Fraction(FRAMES_PER_S)
    encoder.bit_rate = step.bitrate
    encoder.gop_size = KEY_FRAME_EVERY
    encoder.profile = "Baseline"
    kilobits = step.bitrate // 1000
    limits = f"nal-hrd=cbr:vbv-maxrate={kilobits}:vbv-bufsize={kilobits // 4}:scenecut=0"
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "forced-idr": "1",
        "x264-params": limits,
    }
    return encoder
