"""A viewer's losses over time, whatever the moments its reports come at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.loss_share import SPAN_S, LossShare


def test_a_report_that_comes_with_a_loss_does_not_make_it_more() -> None:
    loss = LossShare()
    loss.note(1_000, 0, 0.0)
    loss.note(1_003, 1, 0.03)
    assert loss.share == 0.0
    loss.note(1_100, 2, SPAN_S)
    assert loss.share == pytest.approx(0.02)


def test_what_came_late_was_not_lost() -> None:
    loss = LossShare()
    loss.note(1_000, 5, 0.0)
    loss.note(1_050, 9, 0.5)
    loss.note(1_100, 3, 1.0)
    assert loss.share == 0.0
    loss.note(1_200, 13, 2.0)
    assert loss.share == pytest.approx(0.1)


def test_totals_may_wrap_be_negative_or_begin_anew() -> None:
    loss = LossShare()
    loss.note(0xFFFF_FFF0, 0xFF_FFFE, 0.0)
    loss.note(0x54, 3, 1.0)
    assert loss.share == pytest.approx(0.05)
    loss.note(10, 0, 2.0)
    loss.note(110, 50, 3.0)
    assert loss.share == pytest.approx(0.5)


def test_without_packets_nothing_is_known_anew() -> None:
    loss = LossShare()
    loss.note(1_000, 0, 0.0)
    loss.note(1_100, 10, 1.0)
    loss.note(1_100, 10, 5.0)
    assert loss.share == pytest.approx(0.1)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1), st.floats(0, 3)),
        max_size=40,
    )
)
def test_whatever_is_reported_it_is_a_share(reports: list[tuple[int, int, float]]) -> None:
    loss, now = LossShare(), 0.0
    for highest, lost, pause in reports:
        now += pause
        loss.note(highest, lost, now)
        assert 0 <= loss.share <= 1
