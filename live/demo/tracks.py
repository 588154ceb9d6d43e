"""The demo's picture and tone as tracks that aiortc can publish.

The picture is encoded here, once, as H.264 with a key frame every two seconds, and handed over as
packets; the tone is plain samples that aiortc encodes as Opus.
"""

import asyncio
import datetime
import time
from fractions import Fraction
from typing import Final

import av
import numpy as np
from aiortc import MediaStreamTrack
from av.video.codeccontext import VideoCodecContext

from live.demo.picture import HEIGHT, WIDTH, Picture

FRAMES_PER_S: Final = 30
KEY_FRAME_EVERY: Final = 2 * FRAMES_PER_S
BITRATE: Final = 1_500_000
CLOCK_RATE: Final = 90_000
SAMPLE_RATE: Final = 48_000
SAMPLES_PER_FRAME: Final = SAMPLE_RATE // 50
TONES_HZ: Final = (220.0, 277.18, 329.63)
LOUDNESS: Final = 500
"""Peak of each tone, of 32,767: quiet."""


class Pace:
    """Keeps a track in step with the clock: frame `n` is due `n / rate` seconds after the first."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._began = time.monotonic()
        self.frame = 0

    async def next(self) -> int:
        """Wait for the next frame's time; its number. After a stall, frames are left out."""
        self.frame += 1
        late = time.monotonic() - self._began - self.frame / self._rate
        if late > 0:
            self.frame += int(late * self._rate)
        await asyncio.sleep(max(0.0, -late))
        return self.frame


class PictureTrack(MediaStreamTrack):
    """The picture as H.264 packets."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._picture = Picture()
        self._encoder = _encoder()
        self._pace = Pace(FRAMES_PER_S)

    async def recv(self) -> "av.Packet[av.VideoStream]":
        """The next frame, encoded."""
        number = await self._pace.next()
        return await asyncio.to_thread(self._encode, number)

    def _encode(self, number: int) -> "av.Packet[av.VideoStream]":
        now_ms = time.time_ns() // 1_000_000
        local = datetime.datetime.fromtimestamp(now_ms / 1000).astimezone()
        planes = self._picture.draw(now_ms, f"{local:%H:%M:%S}.{now_ms % 1000:03}")
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number * CLOCK_RATE // FRAMES_PER_S
        frame.time_base = Fraction(1, CLOCK_RATE)
        (packet,) = self._encoder.encode(frame)
        return packet


class ToneTrack(MediaStreamTrack):
    """A quiet chord that breathes."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(SAMPLE_RATE / SAMPLES_PER_FRAME)

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, mono."""
        start = await self._pace.next() * SAMPLES_PER_FRAME
        seconds = np.arange(start, start + SAMPLES_PER_FRAME) / SAMPLE_RATE
        breath = 0.6 + 0.4 * np.sin(2 * np.pi * 0.15 * seconds)
        chord = sum(np.sin(2 * np.pi * tone * seconds) for tone in TONES_HZ)
        samples = (LOUDNESS * breath * chord).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        frame.time_base = Fraction(1, SAMPLE_RATE)
        return frame


def _encoder() -> VideoCodecContext:
    """H.264 constrained baseline without delay: each frame in gives one packet out."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = WIDTH, HEIGHT
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, CLOCK_RATE)
    encoder.framerate = Fraction(FRAMES_PER_S)
    encoder.bit_rate = BITRATE
    encoder.gop_size = KEY_FRAME_EVERY
    encoder.profile = "Baseline"
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"vbv-maxrate={BITRATE // 1000}:vbv-bufsize={BITRATE // 2000}:scenecut=0",
    }
    return encoder
