"""Key frames are seen where they begin, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.codecs import h264_key_frame, vp8_key_frame
from tests.relay.media import DELTA, KEY


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x65\x88", True),
        (b"\x67\x42", True),
        (b"\x68\xce", False),
        (DELTA, False),
        (KEY, True),
        (b"\x78\x00\x02\x41\x9a\x00\x02\x65\x88", True),
        (b"\x78\x00\x02\x41\x9a", False),
        (b"\x7c\x85\x00", True),
        (b"\x7c\x05\x00", False),
        (b"\x7c\x81\x00", False),
        (b"\x65", False),
    ],
)
def test_h264(payload: bytes, key: bool) -> None:
    assert h264_key_frame(payload) is key


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b"\x10\x00", True),
        (b"\x18\x00", True),
        (b"\x10\x01", False),
        (b"\x00\x00", False),
        (b"\x11\x00", False),
        (b"\x90\x80\x01\x00", True),
        (b"\x90\x80\x81\x01\x00", True),
        (b"\x90\xf0\x81\x01\x02\x03\x00", True),
        (b"\x90\xf0\x81\x01\x02\x03\x01", False),
        (b"\x90\xf0\x81", False),
    ],
)
def test_vp8(payload: bytes, key: bool) -> None:
    assert vp8_key_frame(payload) is key


@given(st.binary(max_size=60))
def test_noise_is_never_raised(noise: bytes) -> None:
    for payload in (noise, b"\x78" + noise, b"\x90" + noise):
        assert {h264_key_frame(payload), vp8_key_frame(payload)} <= {True, False}
