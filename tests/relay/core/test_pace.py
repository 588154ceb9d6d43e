"""Many who come, each at its own pace."""

from hypothesis import given
from hypothesis import strategies as st

from live.relay.core.pace import SWEEP_LEAST, Pace


def test_a_few_at_once_then_one_by_one() -> None:
    pace = Pace(burst=3, every_s=2.0)
    assert [pace.wait_s("a", 10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]
    assert pace.wait_s("b", 10.0) == 0.0
    assert pace.wait_s("a", 11.5) == 0.5
    assert pace.wait_s("a", 12.0) == 0.0
    assert pace.wait_s("a", 12.0) == 2.0


def test_who_waited_long_enough_may_come_as_often_as_at_first() -> None:
    pace = Pace(burst=3, every_s=2.0)
    for now in (0.0, 100.0):
        assert [pace.wait_s("a", now) for _ in range(4)] == [0.0, 0.0, 0.0, 2.0]


def test_those_who_stay_away_are_forgotten() -> None:
    pace = Pace(burst=2, every_s=1.0)
    for n in range(50 * SWEEP_LEAST):
        assert pace.wait_s(f"visitor {n}", n / 10) == 0.0
    assert len(pace) <= 2 * SWEEP_LEAST


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=100))
def test_no_more_than_its_due(steps: list[float]) -> None:
    pace, now, came = Pace(burst=4, every_s=1.0), 0.0, 0
    for step in steps:
        now += step
        came += pace.wait_s("a", now) == 0.0
    assert 1 <= came <= 4 + now
