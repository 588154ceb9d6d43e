"""What is missing is asked for a bounded number of times, across the wrap of 16 bits."""

import pytest

from live.relay.core.receive_log import MISSING_LIMIT, NACK_RETRY_S, NACK_TRIES, ReceiveLog


def log(*sequences: int) -> ReceiveLog:
    """A log of these arrivals."""
    made = ReceiveLog(1, 90_000)
    for sequence in sequences:
        made.receive(sequence, 0, 0.0, repeated=False)
    return made


@pytest.mark.parametrize("base", [100, 0xFFFD, 0xFFFE, 0xFFFF])
def test_gap_is_asked_for_until_it_is_filled(base: int) -> None:
    made = log(base, base + 4 & 0xFFFF)
    asked = [n & 0xFFFF for n in made.to_ask_again(0.0)]
    assert asked == [base + n & 0xFFFF for n in (1, 2, 3)]
    assert made.to_ask_again(NACK_RETRY_S / 2) == []
    assert made.receive(base + 2 & 0xFFFF, 0, 0.1, repeated=True) is not None
    assert made.receive(base + 2 & 0xFFFF, 0, 0.1, repeated=True) is None
    assert len(made.to_ask_again(NACK_RETRY_S)) == 2


def test_asking_ends() -> None:
    made = log(1, 3)
    asked = [made.to_ask_again(n * NACK_RETRY_S * 1.01) for n in range(NACK_TRIES + 3)]
    assert sum(map(len, asked)) == NACK_TRIES
    assert made.gave_up


def test_too_much_missing_gives_up_at_once() -> None:
    made = log(1, MISSING_LIMIT + 3)
    assert made.gave_up
    assert made.to_ask_again(0.0) == []


def test_report_counts_loss_since_the_last() -> None:
    made = log(0xFFFE, 0xFFFF, 2, 3)
    first = made.report(0.0)
    assert (first.lost, first.fraction_lost, first.highest) == (2, 2 * 256 // 6, 0x1_0003)
    made.receive(4, 0, 0.0, repeated=False)
    assert made.report(0.0).fraction_lost == 0
    made.sender_report(0x1234_5678_9ABC_DEF0, 1.0)
    last = made.report(1.5)
    assert (last.last_sr, last.delay) == (0x5678_9ABC, 32_768)


def test_jitter_is_of_what_came_by_itself() -> None:
    made = log()
    for n in range(200):
        made.receive(n, n * 3000 & 0xFFFFFFFF, n / 30 + (n % 2) * 0.01, repeated=False)
    jitter = made.report(9.0).jitter
    assert 800 < jitter <= 900
    made.receive(200, 2**32 - 1, 9.0, repeated=False)
    assert made.report(9.0).jitter == jitter
