"""Over any switches the viewer's numbers run on, its timestamps rise, its picture ids run on."""

from itertools import pairwise
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.picture_counters import LONG, SHORT
from live.relay.core.rtp import HEADER_BYTES, header
from live.relay.core.splice import AS_IT_IS, COUNTERS, Place, splice
from tests.relay.media import sequence_of, timestamp_of

STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=12)
LANES = st.lists(
    st.tuples(
        st.integers(0, 2**17),
        st.integers(2**32 - 200_000, 2**32 + 90_000),
        st.integers(0, 0x7FFF),
        st.booleans(),
    ),
    min_size=3,
    max_size=3,
)


DESCRIPTORS = {"VP8": (b"\x90\xc0", b""), "VP9": (b"\xac", b"\x00")}
"""What is before the picture id, and between it and TL0PICIDX."""


def frame(codec: str, number: int, timestamp: int, picture: int, tl0: int, long: bool) -> bytes:
    """A packet, the only one of its frame."""
    identifier = pack("!H", 0x8000 | picture & 0x7FFF) if long else bytes((picture & 0x7F,))
    before, between = DESCRIPTORS[codec]
    descriptor = before + identifier + between + bytes((tl0 & 0xFF,))
    return header(True, 0, number, timestamp, 1) + descriptor + b"picture"


@pytest.mark.parametrize("codec", DESCRIPTORS)
@given(LANES, STEPS, st.booleans())
def test_any_sequence_of_switches_is_one_stream(
    codec: str, lanes: list[tuple[int, int, int, bool]], steps: list[tuple[int, int]], long: bool
) -> None:
    """Lanes count on also while nobody looks at them."""
    counts = [0, 0, 0]

    def place(lane: int, n: int) -> Place:
        number, timestamp, picture, _ = lanes[lane]
        at = (number + n, timestamp + n * 3000)
        return Place(*at, frame(codec, *at, picture + n, picture + n, long))

    rewriting, last, out = AS_IT_IS, None, []
    for lane, count in steps:
        first = place(lane, counts[lane])
        if last is not None:
            rewriting = splice(last, rewriting, first, codec)
        for _ in range(count):
            last = place(lane, counts[lane])
            assert last.packet is not None
            out.append(rewriting.apply(last.packet))
            counts = [n + 1 for n in counts]
    mask = LONG if long else SHORT
    for a, b in pairwise(out):
        assert sequence_of(b) - sequence_of(a) & 0xFFFF == 1
        assert 0 < (timestamp_of(b) - timestamp_of(a) & 0xFFFFFFFF) < 2**31
        before, after = (COUNTERS[codec](packet, HEADER_BYTES) for packet in (a, b))
        assert before is not None
        assert after is not None
        assert after.picture_id - before.picture_id & mask == 1
        assert after.tl0 - before.tl0 & 0xFF == 1
        assert b.endswith(b"picture")


def test_who_never_switched_gets_the_lanes_own_bytes() -> None:
    packet = frame("VP8", 7, 9, 3, 4, long=True)
    assert AS_IT_IS.apply(packet) is packet


@pytest.mark.parametrize(
    ("codec", "payload"), [("H264", b"\xac\x80\x05\x00\x07"), ("VP9", b"\x0c\x82\x49\x83\x42")]
)
def test_what_counts_no_pictures_keeps_its_payload(codec: str, payload: bytes) -> None:
    last, first = (
        Place(n, 3000 * n, header(True, 0, n, 3000 * n, 1) + payload) for n in (1_000, 70)
    )
    rewriting = splice(last, AS_IT_IS, first, codec)
    assert first.packet is not None
    assert rewriting.apply(first.packet)[HEADER_BYTES:] == payload


@pytest.mark.parametrize("codec", DESCRIPTORS)
@given(st.integers(0, LONG), st.integers(0, LONG), st.booleans())
def test_a_layer_that_spells_its_ids_in_another_size_goes_on_from_the_last_one(
    codec: str, last: int, first: int, long: bool
) -> None:
    before = Place(1, 0, frame(codec, 1, 0, last, 0, long))
    after = Place(1, 0, frame(codec, 1, 0, first, 0, not long))
    assert after.packet is not None
    packet = splice(before, AS_IT_IS, after, codec).apply(after.packet)
    found = COUNTERS[codec](packet, HEADER_BYTES)
    assert found is not None
    assert found.mask == (SHORT if long else LONG)
    assert found.picture_id == (last if long else last & SHORT) + 1 & found.mask
