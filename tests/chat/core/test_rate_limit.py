"""Buckets in virtual time."""

import math

from hypothesis import given
from hypothesis import strategies as st

from chat.core.rate_limit import (
    IDS_PAID,
    PAID_S,
    SELLER_TALK,
    TALK,
    Bucket,
    Buckets,
    Rate,
    TalkBucket,
)


@given(st.lists(st.floats(0, 3), max_size=80))
def test_never_more_than_the_burst_and_what_time_gave(pauses: list[float]) -> None:
    rate = Rate(burst=5, per_s=2)
    bucket, now, taken = Bucket(rate), 100.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
        assert taken <= rate.burst + (now - 100) * rate.per_s + 1e-6


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket(Rate(burst=3, per_s=1))
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.5)
    assert bucket.take(1.0)
    assert bucket.take(3.5, cost=2)
    assert not bucket.take(3.5, cost=1)


def test_a_clock_that_runs_backwards_gives_nothing() -> None:
    bucket = Bucket(Rate(burst=1, per_s=1))
    assert bucket.take(10)
    assert not bucket.take(5)
    assert not bucket.take(10.5)
    assert bucket.take(11)


@given(st.integers(0, 200))
def test_as_many_as_there_are(wanted: int) -> None:
    bucket = Bucket(Rate(burst=100, per_s=30))
    assert bucket.take_up_to(0, wanted) == min(wanted, 100)
    assert bucket.take_up_to(0, 500) == 100 - min(wanted, 100)


def test_coming_back_wins_no_fresh_burst_and_silence_is_forgotten() -> None:
    buckets = Buckets()
    while buckets.of("bom", TALK).take(0):
        pass
    buckets.forget_full(0.5)
    assert len(buckets) == 1
    assert not buckets.of("bom", TALK).take(0.5)
    buckets.forget_full(math.ceil(TALK.burst / TALK.per_s) + 1)
    assert len(buckets) == 0
    assert buckets.of("bom", TALK) is not buckets.of("bom", SELLER_TALK)


def test_what_is_paid_for_is_free_again_for_a_while_only() -> None:
    bucket = TalkBucket(Rate(burst=1, per_s=0))
    assert bucket.afford("a", 0.0)
    bucket.keep("a", 0.0)
    assert bucket.afford("a", PAID_S - 1)
    bucket.keep("a", PAID_S - 1)
    assert not bucket.afford("a", PAID_S)


def test_only_the_last_ones_are_known_to_be_paid_for() -> None:
    bucket = TalkBucket(Rate(burst=IDS_PAID + 1, per_s=0))
    for number in range(IDS_PAID + 1):
        assert bucket.afford(f"{number}", 0.0)
        bucket.keep(f"{number}", 0.0)
    assert not bucket.afford("0", 1.0)
    assert bucket.afford("1", 1.0)
