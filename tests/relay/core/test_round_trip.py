"""The smoothed round trip, and how long an answer is waited for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.round_trip import (
    AMBIGUOUS_MOST,
    FIRST_WAIT_S,
    WAIT_LEAST_S,
    WAIT_MOST_S,
    RoundTrip,
)

SECONDS = st.floats(0, 5)


@given(st.lists(st.one_of(SECONDS, st.none()), max_size=60))
def test_waiting_stays_within_its_bounds(answers: list[float | None]) -> None:
    trip = RoundTrip()
    assert trip.wait_s == FIRST_WAIT_S
    samples = [answer for answer in answers if answer is not None]
    for answer in answers:
        if answer is None:
            trip.ambiguous()
        else:
            trip.sample(answer)
            assert trip.smoothed_s is not None
            assert min(samples) - 1e-9 <= trip.smoothed_s <= max(samples) + 1e-9
        assert WAIT_LEAST_S <= trip.wait_s <= WAIT_MOST_S


def test_a_steady_path_is_waited_for_little_longer_than_it_takes() -> None:
    trip = RoundTrip()
    for _ in range(50):
        trip.sample(0.06)
    assert trip.smoothed_s == pytest.approx(0.06)
    assert 0.06 < trip.wait_s < 0.08


def test_before_the_first_sample_every_haste_makes_it_wait_longer() -> None:
    trip = RoundTrip()
    trip.ambiguous()
    assert trip.wait_s == 2 * FIRST_WAIT_S
    trip.sample(0.04)
    assert trip.wait_s == pytest.approx(0.04 + 4 * 0.02)


def test_a_path_that_became_longer_is_noticed_and_mere_loss_is_not_taken_for_it() -> None:
    trip = RoundTrip()
    trip.sample(0.04)
    before = trip.wait_s
    for _ in range(3):
        for _ in range(AMBIGUOUS_MOST - 1):
            trip.ambiguous()
        trip.sample(0.04)
    assert trip.wait_s <= before
    for _ in range(AMBIGUOUS_MOST):
        trip.ambiguous()
    assert trip.wait_s > before
