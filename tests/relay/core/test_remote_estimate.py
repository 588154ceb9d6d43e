"""REMB's estimate rises while the path is clean, and falls by loss and by standing queues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.remote_estimate import (
    AHEAD,
    FALLS_MOST,
    GROWTH,
    LEAST_BPS,
    MOST_BPS,
    START_BPS,
    RemoteEstimate,
)

DRIFT_S = 1_234.0
"""The publisher's clock and ours have different beginnings."""


class Sender:
    """Sends 50 packets a second, each of which takes `delay_s` (and some, every other packet)."""

    def __init__(self, begin: float = 0.0) -> None:
        self.now = begin
        self.estimate = RemoteEstimate()

    def sends(self, bps: float, seconds: int, *, delay_s: float = 0.03, lost: float = 0.0) -> int:
        for _ in range(seconds):
            for n in range(50):
                self.now += 0.02
                stamp = int((self.now - delay_s - DRIFT_S - n % 2 * 0.04) * (1 << 18)) & 0xFFFFFF
                self.estimate.arrived(int(bps * (1 - lost) / 8 / 50), stamp, self.now)
            self.estimate.conclude(lost, self.now)
        return self.estimate.bitrate


@pytest.mark.parametrize("begin", [0.0, 62.5])
def test_a_clean_path_lets_it_rise_a_twelfth_in_a_second_up_to_the_most(begin: float) -> None:
    sender = Sender(begin)
    assert sender.sends(2_000_000, 1) == pytest.approx(START_BPS * GROWTH, rel=0.001)
    assert sender.sends(2_000_000, 3) == pytest.approx(START_BPS * GROWTH**4, rel=0.001)
    assert sender.sends(8_000_000, 40) == MOST_BPS


def test_it_rises_no_further_than_ahead_of_what_comes_and_does_not_fall_for_silence() -> None:
    sender = Sender()
    assert sender.sends(1_200_000, 30) == pytest.approx(1_200_000 * AHEAD, rel=0.05)
    assert sender.estimate.bitrate < MOST_BPS
    before = sender.estimate.bitrate
    assert sender.sends(100_000, 30) == before


def test_some_loss_holds_it_and_much_lets_it_fall_from_what_was_sent() -> None:
    sender = Sender()
    before = sender.sends(3_000_000, 20)
    assert sender.sends(3_000_000, 5, lost=0.05) == before
    assert sender.sends(1_000_000, 1, lost=0.3) == pytest.approx(850_000, rel=0.02)
    assert sender.sends(200_000, 20, lost=0.5) == LEAST_BPS


def test_a_queue_that_stands_lets_it_fall_below_what_comes_and_one_that_passes_does_not() -> None:
    sender = Sender()
    sender.sends(2_000_000, 5)
    fallen = sender.sends(1_000_000, 1, delay_s=0.2)
    assert fallen == pytest.approx(850_000, rel=0.02)
    assert sender.sends(850_000, 1, delay_s=0.06) > fallen


def test_a_longer_path_is_not_taken_for_a_queue_for_ever() -> None:
    sender = Sender()
    sender.sends(2_000_000, 5)
    sender.sends(1_000_000, FALLS_MOST + 1, delay_s=0.15)
    low = sender.estimate.bitrate
    assert sender.sends(1_000_000, 5, delay_s=0.15) > low


@pytest.mark.parametrize("ppm", [-100, 100])
def test_clocks_that_drift_apart_make_no_queue(ppm: int) -> None:
    sender = Sender()
    for minute in range(10):
        sender.sends(2_000_000, 60, delay_s=0.5 + minute * 60 * ppm / 1e6)
    assert sender.estimate.bitrate >= 2_000_000


@given(
    st.lists(
        st.tuples(
            st.integers(0, 100_000),
            st.one_of(st.none(), st.integers(0, 0xFFFFFF)),
            st.floats(0, 70),
            st.one_of(st.none(), st.floats(0, 1)),
        )
    )
)
def test_whatever_comes_it_stays_within_its_bounds(
    packets: list[tuple[int, int | None, float, float | None]],
) -> None:
    estimate, now = RemoteEstimate(), 0.0
    for octets, stamp, pause, lost in packets:
        now += pause
        estimate.arrived(octets, stamp, now)
        if lost is not None:
            assert LEAST_BPS <= estimate.conclude(lost, now) <= MOST_BPS
