"""Lines of a picture: as real encoders write them, and nothing from nonsense."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.picture_size import LINES, LINES_MOST, lines

SIZES = [(320, 180), (640, 360), (608, 1080), (96, 64), (1280, 720), (1920, 1080)]
AV1_HEADERS = {
    (320, 180): "0a0b000000043cfecc4af90040",
    (640, 360): "0a0b0000000cc4ff6712be4010",
    (608, 1080): "0a0b00000024d4bf0dc4af9004",
    (96, 64): "0a0a000000032dffc4af9004",
    (1280, 720): "0a0b0000002d4cffb3c4af9004",
    (1920, 1080): "0a0b00000042abbfc3712be401",
}
"""Sequence headers SVT-AV1 wrote. It is not run here: as root it takes its whole process, and what
that starts later, to real-time priority, and the machine stands still for everybody else."""


def encoded(encoder: str, width: int, height: int, options: dict[str, str]) -> bytes:
    """The first packet an encoder makes of a grey picture."""
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = width, height
    context.pix_fmt, context.options = "yuv420p", options
    context.time_base = Fraction(1, 30)
    picture = np.full((height, width, 3), 90, np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    packets = [*context.encode(frame), *context.encode(None)]
    return bytes(packets[0])


def nal_units(stream: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B stream."""
    for part in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1"):
        if part:
            yield part


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
def test_h264_alone_and_aggregated(width: int, height: int, profile: str) -> None:
    stream = encoded("libx264", width, height, {"profile": profile, "preset": "ultrafast"})
    units = list(nal_units(stream))
    parameters = next(unit for unit in units if unit[0] & 31 == 7)
    assert lines("H264", parameters) == height
    whole = b"".join(len(unit).to_bytes(2, "big") + unit for unit in units if unit[0] & 31 < 9)
    if units[0] is parameters:
        assert lines("H264", b"\x78" + whole) == height
    assert lines("H264", next(unit for unit in units if unit[0] & 31 == 5)) is None


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("descriptor", [b"\x10", b"\x90\x80\x81\x02", b"\x90\xe0\x81\x02\x05\x00"])
def test_vp8_behind_any_descriptor(width: int, height: int, descriptor: bytes) -> None:
    assert lines("VP8", descriptor + encoded("libvpx", width, height, {})) == height


@pytest.mark.parametrize("flexible", [0, 1])
def test_vp9_tells_the_highest_layer_of_its_structure(flexible: int) -> None:
    first = 0x80 | 0x20 | flexible << 4 | 0x08 | 0x02
    layer = b"\x00" if flexible else b"\x00\x07"
    sizes = b"".join(w.to_bytes(2, "big") + h.to_bytes(2, "big") for w, h in SIZES[:3])
    head = bytes((first, 0x81, 0x02)) + layer
    assert lines("VP9", head + bytes((2 << 5 | 1 << 4,)) + sizes) == 1080
    assert lines("VP9", head + bytes((2 << 5,))) is None
    assert lines("VP9", bytes((first & ~0x02, 0x81, 0x02)) + layer + sizes) is None


@pytest.mark.parametrize(("size", "header"), AV1_HEADERS.items())
@pytest.mark.parametrize("counted", [True, False])
def test_av1_with_and_without_the_elements_length(
    size: tuple[int, int], header: str, counted: bool
) -> None:
    unit = bytes.fromhex(header)
    element = bytes((len(unit),)) + unit if counted else unit
    assert lines("AV1", bytes((0x08 if counted else 0x18,)) + element) == size[1]


@given(st.sampled_from([*LINES, "H265"]), st.binary(max_size=200))
def test_nonsense_gives_none_or_something_sane(codec: str, payload: bytes) -> None:
    found = lines(codec, payload)
    assert found is None or 0 < found <= LINES_MOST


@given(st.sampled_from([b"\x67\x42\xe0\x1f", b"\x67\x64\x00\x1f"]), st.binary(max_size=60))
def test_nonsense_behind_a_good_beginning(beginning: bytes, rest: bytes) -> None:
    found = lines("H264", beginning + rest)
    assert found is None or 0 < found <= LINES_MOST
