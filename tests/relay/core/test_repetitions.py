"""Repetitions are bounded: in number, in bytes, and each in time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.repetitions import (
    AGAIN_LEAST_S,
    ASKED_PER_S,
    LEAST_BPS,
    LEAST_SHARE,
    SAVED_BYTES,
    SHARE,
    Repetitions,
)

PACKET = 1_000


def sent_in(seconds: float, bitrate: int, estimate: int | None) -> int:
    """Bytes a viewer gets that asks for everything, after what was saved up is used."""
    made = Repetitions()
    made.refresh(bitrate, estimate, 0.0)
    number = 0
    while made.allow(number, PACKET, None, 0.0):
        number += 1
    before = made.sent
    for step in range(round(seconds * 100)):
        now = (step + 1) / 100
        made.refresh(bitrate, estimate, now)
        for _ in range(20):
            number += 1
            made.allow(number, PACKET, None, now)
    return (made.sent - before) * PACKET


def test_a_second_of_the_picture_may_be_mended_at_once() -> None:
    made = Repetitions()
    made.refresh(2_400_000, None, 5.0)
    allowed = sum(made.allow(n, PACKET, None, 5.0) for n in range(1_000))
    assert allowed * PACKET == SAVED_BYTES


def test_then_half_of_its_bitrate() -> None:
    assert abs(sent_in(10, 2_400_000, None) * 8 / 10 / (SHARE * 2_400_000) - 1) < 0.05


def test_what_the_path_has_left_is_the_limit_and_never_nothing() -> None:
    assert abs(sent_in(10, 2_400_000, 3_000_000) * 8 / 10 / 600_000 - 1) < 0.05
    assert abs(sent_in(10, 2_400_000, 400_000) * 8 / 10 / LEAST_BPS - 1) < 0.05


def test_where_the_path_is_full_what_was_saved_up_in_better_times_is_lost() -> None:
    made = Repetitions()
    made.refresh(2_400_000, 5_000_000, 0.0)
    made.refresh(250_000, 350_000, 1.0)
    allowed = sum(made.allow(n, PACKET, None, 1.0) for n in range(1_000))
    assert allowed * PACKET * 8 / 100_000 == pytest.approx(1, abs=0.1)
    assert abs(sent_in(10, 250_000, 100_000) * 8 / 10 / (LEAST_SHARE * 250_000) - 1) < 0.1


def test_one_packet_not_again_within_half_a_round_trip() -> None:
    made = Repetitions()
    made.refresh(1_000_000, None, 0.0)
    assert made.allow(7, PACKET, 0.2, 0.0)
    assert not made.allow(7, PACKET, 0.2, 0.09)
    assert made.allow(8, PACKET, 0.2, 0.09)
    assert made.allow(7, PACKET, 0.2, 0.11)
    assert not made.allow(7, PACKET, None, 0.11 + AGAIN_LEAST_S / 2)


@given(st.lists(st.tuples(st.integers(0, 2_000), st.floats(0, 0.4)), max_size=40))
def test_numbers_looked_at_are_bounded_in_every_second(asks: list[tuple[int, float]]) -> None:
    made, now, looked_at = Repetitions(), 10.0, []
    for count, pause in asks:
        now += pause
        made.refresh(1_000_000, None, now)
        looked_at.append((now, made.admit(count)))
    for begin, _ in looked_at:
        assert sum(n for at, n in looked_at if begin <= at < begin + 1) <= 2 * ASKED_PER_S
