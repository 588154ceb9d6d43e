"""What comes is numbered on across the wrap of 16 bits; reports tell the network's losses."""

import pytest

from live.relay.core.receive_log import ReceiveLog
from live.relay.core.repairs import GIVE_UP_S, REORDER_S, Repairs
from live.relay.core.round_trip import RoundTrip


def log(*sequences: int, rtx: bool = True) -> ReceiveLog:
    """A log of these arrivals."""
    repairs = Repairs(RoundTrip(), asks=True)
    made = ReceiveLog(1, 90_000, repairs, repeats_as_rtx=rtx)
    for sequence in sequences:
        made.receive(sequence, 0, 0.0, repeated=False)
    return made


@pytest.mark.parametrize("base", [100, 0xFFFD, 0xFFFE, 0xFFFF])
def test_gap_is_missing_until_it_is_filled(base: int) -> None:
    made = log(base, base + 4 & 0xFFFF)
    asked = [n & 0xFFFF for n in made.repairs.due(REORDER_S)]
    assert asked == [base + n & 0xFFFF for n in (1, 2, 3)]
    assert made.receive(base + 2 & 0xFFFF, 0, 0.1, repeated=True) is not None
    assert made.receive(base + 2 & 0xFFFF, 0, 0.1, repeated=True) is None
    assert len(made.repairs.due(GIVE_UP_S / 2)) == 2


def test_report_counts_the_networks_loss_since_the_last() -> None:
    made = log(0xFFFE, 0xFFFF, 2, 3)
    first = made.report(0.0)
    assert (first.lost, first.fraction_lost, first.highest) == (2, 2 * 256 // 6, 0x1_0003)
    made.receive(4, 0, 0.0, repeated=False)
    made.receive(1, 0, 0.0, repeated=True)
    assert made.report(0.0).fraction_lost == 0
    assert made.lost == 2
    made.receive(0, 0, 0.0, repeated=False)
    assert made.lost == 1
    made.sender_report(0x1234_5678_9ABC_DEF0, 1.0)
    last = made.report(1.5)
    assert (last.last_sr, last.delay) == (0x5678_9ABC, 32_768)


def test_jitter_is_of_what_came_by_itself() -> None:
    made = log(rtx=False)
    for n in range(200):
        if n != 190:
            made.receive(n, n * 3000 & 0xFFFFFFFF, n / 30 + (n % 2) * 0.01, repeated=False)
    assert made.repairs.due(6.7) == [0x10000 + 190]
    jitter = made.report(9.0).jitter
    assert 800 < jitter <= 900
    assert made.jitter_s == pytest.approx(jitter / 90_000, rel=0.01)
    made.receive(200, 2**32 - 1, 9.0, repeated=True)
    made.receive(190, 190 * 3000, 9.1, repeated=False)
    assert made.report(9.0).jitter == jitter


@pytest.mark.parametrize("rtx", [True, False])
def test_only_a_repetition_tells_the_round_trip(rtx: bool) -> None:
    trip = RoundTrip()
    made = ReceiveLog(1, 90_000, Repairs(trip, asks=True), repeats_as_rtx=rtx)
    for sequence in (1, 3):
        made.receive(sequence, 0, 0.0, repeated=False)
    made.repairs.due(REORDER_S)
    made.receive(2, 0, REORDER_S + 0.05, repeated=False)
    assert trip.smoothed_s == (None if rtx else pytest.approx(0.05))


def test_a_source_far_behind_twice_counts_anew_and_one_late_packet_does_not() -> None:
    made = log(30_000)
    assert made.receive(7_000, 0, 0.0, repeated=False) is None
    assert not made.renumbered
    assert made.receive(7_001, 0, 0.0, repeated=False) is None
    assert made.renumbered
