"""What a bucket lets through follows its rate."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.bucket import Bucket


def test_is_full_the_first_time_and_never_fuller() -> None:
    bucket = Bucket(1_000)
    assert not bucket.has_any
    bucket.earn(8_000, 5.0)
    bucket.earn(8_000, 500.0)
    bucket.spend(1_000)
    assert not bucket.has_any
    bucket.earn(8_000, 500.001)
    assert bucket.has_any


def test_no_more_is_kept_than_its_rate_brings_in_the_time_allowed() -> None:
    bucket = Bucket(10_000)
    bucket.earn(8_000, 0.0)
    bucket.earn(8_000, 1.0, most_s=0.5)
    bucket.spend(500)
    assert not bucket.has_any


@given(
    st.integers(1, 50_000),
    st.lists(st.tuples(st.floats(0, 2), st.integers(1, 1_500)), min_size=1, max_size=60),
)
def test_never_more_than_earned_and_a_packet(most: int, steps: list[tuple[float, int]]) -> None:
    bucket, now, sent = Bucket(most), 0.0, 0
    bucket.fill(now)
    for pause, octets in steps:
        now += pause
        bucket.earn(80_000, now)
        if bucket.has_any:
            bucket.spend(octets)
            sent += octets
    assert sent <= most + 10_000 * now + 1_500
