"""Transport-wide feedback, read back by a decoder written from the draft."""

from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.twcc import SPAN_LIMIT, TICK_S, TransportFeedback


def decode(body: bytes) -> dict[int, float | None]:
    """Sequence number to arrival in seconds, None for what did not come (§3.1)."""
    base, count, reference = unpack_from("!HHI", body)
    symbols: list[int] = []
    offset = 8
    while len(symbols) < count:
        (chunk,) = unpack_from("!H", body, offset)
        offset += 2
        if chunk >> 15 == 0:
            symbols += [chunk >> 13] * (chunk & 0x1FFF)
        elif chunk >> 14 == 3:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    clock = (reference >> 8) * 256
    arrivals: dict[int, float | None] = {}
    for index, symbol in enumerate(symbols[:count]):
        if symbol:
            clock += unpack_from("!B" if symbol == 1 else "!h", body, offset)[0]
            offset += symbol
        arrivals[base + index & 0xFFFF] = clock * TICK_S if symbol else None
    assert len(body) - offset < 4
    assert len(body) % 4 == 0
    return arrivals


def told(feedback: TransportFeedback) -> dict[int, float | None]:
    body = feedback.build()
    assert body is not None
    return decode(body)


@given(
    st.integers(0, 0xFFFF),
    st.dictionaries(st.integers(0, 300), st.floats(0, 5), min_size=1, max_size=80),
)
def test_every_arrival_is_told_to_the_tick(base: int, arrivals: dict[int, float]) -> None:
    feedback = TransportFeedback()
    for offset, at in sorted(arrivals.items(), key=lambda item: item[1]):
        feedback.receive(base + offset & 0xFFFF, 100 + at)
    heard = told(feedback)
    assert len(heard) == max(arrivals) - min(arrivals) + 1
    for offset in range(min(arrivals), max(arrivals) + 1):
        came = heard[base + offset & 0xFFFF]
        assert (came is None) is (offset not in arrivals)
        assert came is None or abs(came - 100 - arrivals[offset]) <= TICK_S


def test_the_next_feedback_begins_where_the_last_ended() -> None:
    feedback = TransportFeedback()
    feedback.receive(0xFFFE, 1.0)
    assert list(told(feedback)) == [0xFFFE]
    assert feedback.build() is None
    feedback.receive(2, 1.1)
    heard = told(feedback)
    assert [n for n, at in heard.items() if at is None] == [0xFFFF, 0, 1]


def test_long_runs_and_a_span_beyond_the_limit() -> None:
    feedback = TransportFeedback()
    for n in range(500):
        feedback.receive(n, n * 0.001)
    assert None not in told(feedback).values()
    feedback.receive(30_000, 9.0)
    assert len(told(feedback)) == SPAN_LIMIT
