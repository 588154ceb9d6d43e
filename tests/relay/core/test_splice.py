"""Over any switches the viewer's numbers run on, its timestamps rise, its picture ids run on."""

from itertools import pairwise
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core import vp8
from live.relay.core.rtp import HEADER_BYTES, header
from live.relay.core.splice import AS_IT_IS, Place, splice
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


def frame(number: int, timestamp: int, picture: int, tl0: int, long: bool) -> bytes:
    """A VP8 packet, the only one of its frame."""
    identifier = pack("!H", 0x8000 | picture & 0x7FFF) if long else bytes((picture & 0x7F,))
    descriptor = b"\x90\xc0" + identifier + bytes((tl0 & 0xFF,))
    return header(True, 0, number, timestamp, 1) + descriptor + b"picture"


@given(LANES, STEPS, st.booleans())
def test_any_sequence_of_switches_is_one_stream(
    lanes: list[tuple[int, int, int, bool]], steps: list[tuple[int, int]], long: bool
) -> None:
    """Lanes count on also while nobody looks at them."""
    counts = [0, 0, 0]

    def place(lane: int, n: int) -> Place:
        number, timestamp, picture, _ = lanes[lane]
        at = (number + n, timestamp + n * 3000)
        return Place(*at, frame(*at, picture + n, picture + n, long))

    rewriting, last, out = AS_IT_IS, None, []
    for lane, count in steps:
        first = place(lane, counts[lane])
        if last is not None:
            rewriting = splice(last, rewriting, first, is_vp8=True)
        for _ in range(count):
            last = place(lane, counts[lane])
            assert last.packet is not None
            out.append(rewriting.apply(last.packet))
            counts = [n + 1 for n in counts]
    mask = vp8.LONG if long else vp8.SHORT
    for a, b in pairwise(out):
        assert sequence_of(b) - sequence_of(a) & 0xFFFF == 1
        assert 0 < (timestamp_of(b) - timestamp_of(a) & 0xFFFFFFFF) < 2**31
        before, after = vp8.counters(a, HEADER_BYTES), vp8.counters(b, HEADER_BYTES)
        assert before is not None
        assert after is not None
        assert after.picture_id - before.picture_id & mask == 1
        assert after.tl0 - before.tl0 & 0xFF == 1
        assert b.endswith(b"picture")


def test_who_never_switched_gets_the_lanes_own_bytes() -> None:
    packet = frame(7, 9, 3, 4, long=True)
    assert AS_IT_IS.apply(packet) is packet


@given(st.binary(max_size=12), st.integers(0, 0x7FFF), st.integers(0, 255))
def test_any_descriptor_keeps_its_length(payload: bytes, picture_id: int, tl0: int) -> None:
    packet = header(True, 0, 1, 1, 1) + payload
    assert len(vp8.moved(packet, HEADER_BYTES, picture_id, tl0)) == len(packet)
