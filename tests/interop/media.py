"""Media for peers that bring none: two seconds of a moving picture and of a tone, encoded once.

A file holds chunks, each after its length as four bytes, big endian: access units of H.264
(Annex B, constrained baseline, a key frame first), packets of Opus.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

import av
import numpy as np

SECONDS: Final = 2
FRAMES_PER_S: Final = 30
WIDTH: Final = 320
HEIGHT: Final = 180
SAMPLE_RATE: Final = 48_000
SAMPLES: Final = 960
TONE_HZ: Final = 440

Frame = TypeVar("Frame", av.VideoFrame, av.AudioFrame)


def video_file(path: Path) -> Path:
    """Write the picture: a bright gradient that walks to the left."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base = Fraction(1, FRAMES_PER_S)
    encoder.gop_size = SECONDS * FRAMES_PER_S
    encoder.profile = "Baseline"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    return _write(path, _encoded(encoder.encode, _pictures()))


def audio_file(path: Path) -> Path:
    """Write the tone."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
    return _write(path, _encoded(encoder.encode, _tones()))


def _pictures() -> Iterator[av.VideoFrame]:
    columns = np.linspace(64, 235, WIDTH)
    for number in range(SECONDS * FRAMES_PER_S):
        row = np.roll(columns, -8 * number).astype(np.uint8)
        grey = np.repeat(row[None, :, None], HEIGHT, axis=0).repeat(3, axis=2)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts = number
        yield frame


def _tones() -> Iterator[av.AudioFrame]:
    for number in range(SECONDS * SAMPLE_RATE // SAMPLES):
        seconds = np.arange(number * SAMPLES, (number + 1) * SAMPLES) / SAMPLE_RATE
        tone = (8_000 * np.sin(2 * np.pi * TONE_HZ * seconds)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, number * SAMPLES
        yield frame


def _encoded(
    encode: Callable[[Frame | None], Iterable[Any]], frames: Iterable[Frame]
) -> Iterator[bytes]:
    for frame in frames:
        yield from map(bytes, encode(frame))
    yield from map(bytes, encode(None))


def _write(path: Path, chunks: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks))
    return path
