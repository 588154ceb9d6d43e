"""Key frames are seen where they begin, and nowhere else.

The longer VP9 and AV1 payloads were sent by Chromium 156; the properties build every shape a
descriptor can have.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.codecs import (
    KEY_FRAME,
    NAL_LIMIT,
    av1_key_frame,
    h264_key_frame,
    h265_key_frame,
    vp8_key_frame,
    vp9_key_frame,
)
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


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("9bdee110014000b4824983420013f00b341038241c18ba00037050654fa3", True),
        ("95dee1434290f7bd2e86bf00f826d760f0d71f7ba690f9fa0014d38dedff", False),
        ("dddee20286004092b8505563737010160301a4c6a1105062ad0000000009", False),
        ("0882", True),
        ("0886", False),  # intra-only: no key frame, though it refers to none
        ("088a", False),  # shows a frame that is known already
        ("08b0", True),  # profile 3
        ("08b2", False),
        ("08b4", False),
        ("0842", False),  # no frame marker
        ("288282", False),  # an upper spatial layer
        ("28000082", True),
        ("380082", True),
        ("0a0082", True),
        ("0a18004000300304010801020082", True),
        ("0a180304", False),
        ("0a18", False),
        ("888182", False),
        ("88818182", True),
        ("88", False),
        ("08", False),
        ("", False),
    ],
)
def test_vp9(payload: str, key: bool) -> None:
    assert vp9_key_frame(bytes.fromhex(payload)) is key


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("280b08000000043cfecc01a008301046f0071c71c4820900d98a40d7a27f", True),
        ("103030c040fdf8012743403b601d90000000000002082080a481000200dc", False),
        ("18080000", True),
        ("10080000", False),  # a sequence header again, but no new sequence
        ("98080000", False),  # a unit that began before
        ("080208000130", True),
        ("0801300208", True),
        ("08013001", False),
        ("08013000", False),
        ("0880808080800108", False),
        ("2880", False),
        ("2805300108", False),
        ("18", False),
        ("", False),
    ],
)
def test_av1(payload: str, key: bool) -> None:
    assert av1_key_frame(bytes.fromhex(payload)) is key


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ("40010c01", True),  # VPS
        ("42010101", True),  # SPS
        ("4401c172", False),  # PPS
        ("2601af", True),  # IDR_W_RADL
        ("2801af", True),  # IDR_N_LP
        ("2a01af", True),  # CRA
        ("2001af", True),  # BLA_W_LP
        ("1e01af", False),  # just below the random access points
        ("0201d0", False),  # TRAIL_R
        ("60010004400100aa0003420101", True),
        ("600100030201d00003260100", True),
        ("600100030201d00003020100", False),
        ("600100030201", False),
        ("62019300", True),
        ("62011300", False),  # IDR goes on
        ("62018100", False),
        ("6201", False),
        ("26", False),
    ],
)
def test_h265(payload: str, key: bool) -> None:
    assert h265_key_frame(bytes.fromhex(payload)) is key


@pytest.mark.parametrize(("codec", "head"), [("H264", "78"), ("H265", "6001")])
def test_only_so_many_units_are_looked_at(codec: str, head: str) -> None:
    other, key = {"H264": ("0001410001650000", "000165")}.get(codec, ("00010200", "000126"))
    units = (other[:6] * (NAL_LIMIT - 1), other[:6] * NAL_LIMIT)
    seen = [KEY_FRAME[codec](bytes.fromhex(head + before + key)) for before in units]
    assert seen == [True, False]


@given(
    *[st.booleans()] * 7,
    st.integers(0, 7),
    st.integers(0, 3),
    st.lists(st.integers(0, 3), max_size=6),
    st.binary(max_size=9),
)
def test_any_vp9_descriptor(
    begins: bool,
    refers: bool,
    long_id: bool,
    layered: bool,
    flexible: bool,
    structured: bool,
    delta: bool,
    spatial: int,
    sizes: int,
    pictures: list[int],
    rest: bytes,
) -> None:
    flags = 0x80 | refers << 6 | layered << 5 | flexible << 4 | begins << 3 | structured << 1
    payload = bytes([flags]) + (b"\x92\x34" if long_id else b"\x12")
    if layered:
        payload += bytes([spatial << 1]) + (b"" if flexible else b"\x07")
    if flexible and refers:
        payload += b"\x02"
    if structured:
        payload += bytes([sizes << 5 | 0x18]) + bytes(4 * (sizes + 1)) + bytes([len(pictures)])
        payload += b"".join(bytes([count << 2]) + bytes(count) for count in pictures)
    payload += bytes([0x80 | delta << 2]) + rest
    expected = begins and not refers and not delta and not (layered and spatial)
    assert vp9_key_frame(payload) is expected


@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 300)), min_size=1, max_size=9),
)
def test_any_row_of_av1_units(
    first: bool, goes_on: bool, counted: bool, units: list[tuple[int, int]]
) -> None:
    told = len(units) if counted and len(units) < 4 else 0
    payload = bytes([goes_on << 7 | told << 4 | first << 3])
    for number, (kind, size) in enumerate(units, 1):
        length = size + 1
        if number != told:
            small = length < 128
            payload += bytes([length] if small else [length & 0x7F | 0x80, length >> 7])
        payload += bytes([kind << 3]) + bytes(size)
    expected = first and not goes_on and any(kind == 1 for kind, _ in units)
    assert av1_key_frame(payload) is expected


@given(st.lists(st.integers(0, 63), min_size=1, max_size=9), st.booleans())
def test_any_h265_unit(kinds: list[int], aggregated: bool) -> None:
    def starts(kind: int) -> bool:
        return 16 <= kind <= 23 or kind in (32, 33)

    if aggregated:
        payload = b"\x60\x01" + b"".join(bytes([0, 3, kind << 1, 1, 0]) for kind in kinds)
        assert h265_key_frame(payload) is any(map(starts, kinds))
        return
    for begins in (True, False):
        payload = bytes([0x62, 1, begins << 7 | kinds[0], 0])
        assert h265_key_frame(payload) is (begins and starts(kinds[0]))


@given(st.binary(max_size=60), st.sampled_from(sorted(KEY_FRAME)), st.integers(0, 255))
def test_noise_is_never_raised(noise: bytes, codec: str, first: int) -> None:
    for payload in (noise, bytes([first]) + noise):
        assert KEY_FRAME[codec](payload) in (True, False)
