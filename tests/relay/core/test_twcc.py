"""Transport-wide feedback, read back by a decoder written from the draft."""

from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.twcc import AGAIN_LIMIT, SPAN_LIMIT, TICK_S, TransportFeedback


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


def test_who_comes_after_the_feedback_is_told_by_the_next_with_all_that_follows() -> None:
    feedback = TransportFeedback()
    for number, at in ((0xFFFE, 1.0), (0, 1.01), (2, 1.02)):
        feedback.receive(number, at)
    assert told(feedback)[0xFFFF] is None
    feedback.receive(0xFFFF, 1.05)
    feedback.receive(3, 1.06)
    heard = told(feedback)
    assert list(heard) == [0xFFFF, 0, 1, 2, 3]
    assert [n for n, at in heard.items() if at is None] == [1]
    assert heard[0xFFFF] == 1.05
    feedback.receive(0xFFFF, 1.07)
    feedback.receive(2, 1.07)
    assert feedback.build() is None


def test_who_comes_far_too_late_is_not_told() -> None:
    feedback = TransportFeedback()
    for n in range(1, AGAIN_LIMIT + 1):
        feedback.receive(n, 1.0)
    assert len(told(feedback)) == AGAIN_LIMIT
    feedback.receive(0, 1.1)
    assert feedback.build() is None


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=120),
)
def test_whatever_the_order_the_last_word_on_each_arrival_is_true(
    base: int, came: list[tuple[int, bool]]
) -> None:
    feedback = TransportFeedback()
    feedback.receive(base, 99.0)
    arrivals = {base: 99.0}
    last_word: dict[int, float | None] = {}
    for step, (offset, is_due) in enumerate([*came, (61, True)]):
        number, at = base + offset & 0xFFFF, 100 + step * 0.01
        arrivals.setdefault(number, at)
        feedback.receive(number, at)
        if is_due and (body := feedback.build()) is not None:
            last_word |= decode(body)
    assert last_word.keys() >= arrivals.keys()
    for number, heard in last_word.items():
        assert (heard is None) is (number not in arrivals)
        assert heard is None or abs(heard - arrivals[number]) <= TICK_S


def test_no_stream_of_numbers_fills_the_memory() -> None:
    feedback = TransportFeedback()
    for n in range(20_000):
        feedback.receive(n * 7 & 0xFFFF, n * 0.001)
        if n % 60 == 0:
            feedback.build()
    assert len(feedback._arrivals) <= AGAIN_LIMIT + 60
