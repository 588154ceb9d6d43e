"""Whether and when a client comes back, and what it knows then."""

import random

import pytest

from chat.core.closes import COME_BACK, Close
from chat.core.commands import Since
from chat.core.returning import FIRST_S, MOST_S, Place, comes_back, pause_s


@pytest.mark.parametrize("code", Close)
def test_the_table_of_codes_is_obeyed(code: Close) -> None:
    assert comes_back(code) is (code in COME_BACK)


@pytest.mark.parametrize(
    ("code", "back"),
    [(1000, True), (1001, True), (1006, True), (1012, True), (1002, False), (1009, False)]
    + [(4000 + number, False) for number in (99, 999)],
)
def test_other_codes_bring_back_who_was_not_sent_away(code: int, back: bool) -> None:
    assert comes_back(code) is back


def test_pauses_double_to_a_limit_and_are_random_down_to_nothing() -> None:
    longest = [pause_s(failures, 1.0) for failures in range(8)]
    assert longest == [FIRST_S, 2, 4, 8, 16, MOST_S, MOST_S, MOST_S]
    assert pause_s(10**9, 1.0) == MOST_S
    dice = random.Random(7)
    drawn = [pause_s(3, dice.random()) for _ in range(1000)]
    assert min(drawn) < 0.1
    assert 7.9 < max(drawn) < 8
    assert 3.5 < sum(drawn) / len(drawn) < 4.5


def test_a_place_moves_with_what_is_taken() -> None:
    place = Place()
    welcome = {"type": "welcome", "epoch": "e", "offset": 4}
    assert not place.knows({"type": "stock", "offset": 1})
    place.take(welcome)
    assert place.since == Since("e", 4)
    assert place.knows({"type": "stock", "offset": 4})
    assert not place.knows({"type": "stock", "offset": 6})
    assert not place.knows({"type": "said"})
    place.take({"type": "stock", "offset": 6})
    place.take({"type": "said"})
    assert place.since == Since("e", 6)
    assert not place.knows(welcome)
    place.take({"type": "welcome", "epoch": "f", "offset": 0})
    assert place.since == Since("f", 0)
