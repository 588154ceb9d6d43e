"""Presence: sums of fresh counts."""

from hypothesis import given
from hypothesis import strategies as st

from chat.core.presence import (
    ARRIVALS_LIMIT,
    FRESH_MS,
    Arrivals,
    Count,
    decode_count,
    gone,
    present,
)

counts = st.dictionaries(
    st.text(max_size=3),
    st.builds(Count, st.integers(0, 10**6), st.integers(0, 4 * FRESH_MS)),
    max_size=8,
)


@given(counts, st.integers(0, 4 * FRESH_MS))
def test_every_node_counts_or_is_gone(counts: dict[str, Count], now_ms: int) -> None:
    lost = gone(counts, now_ms)
    kept = sum(count.viewers for node, count in counts.items() if node not in lost)
    assert present(counts, now_ms) == kept
    assert all(now_ms - counts[node].at_ms > FRESH_MS for node in lost)


@given(st.builds(Count, st.integers(0), st.integers(0)))
def test_a_count_survives_being_kept(count: Count) -> None:
    assert decode_count(count.encode()) == count


@given(st.binary(max_size=12))
def test_what_is_no_count_is_none(kept: bytes) -> None:
    count = decode_count(kept)
    assert count is None or count.viewers >= 0


def test_who_came_is_taken_once_and_can_be_put_back() -> None:
    arrivals = Arrivals()
    arrivals.add("ada", "ben")
    arrivals.add("ada")
    taken = arrivals.take()
    assert taken == {"ada", "ben"}
    assert not arrivals.take()
    arrivals.add(*taken)
    assert arrivals.take() == taken


def test_arrivals_are_bounded() -> None:
    arrivals = Arrivals()
    arrivals.add(*map(str, range(ARRIVALS_LIMIT + 5)))
    arrivals.add("late")
    assert len(arrivals.take()) == ARRIVALS_LIMIT
