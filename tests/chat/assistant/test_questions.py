"""At least 95 in 100 of the assistant's answers are right, in both languages and halves."""

from collections.abc import Callable

import pytest

from chat.core.assistant.facts import Thresholds
from tests.chat.assistant.questions import judge, load, report

PRECISION = 0.95
COVERAGE = 0.7
USUAL = Thresholds()


@pytest.mark.parametrize("korean", [True, False], ids=["korean", "english"])
@pytest.mark.parametrize("judging", [False, True], ids=["tuning", "judging"])
def test_what_is_answered_is_right(korean: bool, judging: bool) -> None:
    part = [q for q in load() if q.korean is korean and q.judging is judging]
    score = judge(part, USUAL)
    assert score.asked >= 60
    assert score.answered >= 30
    assert score.precision >= PRECISION, score.wrong
    assert score.coverage >= COVERAGE


def test_the_figures(record_property: Callable[[str, object], None]) -> None:
    figures = report(load(), USUAL)
    print(figures)
    record_property("assistant", figures)
    assert figures.count("precision") == 4


def test_without_thresholds_strangers_are_answered() -> None:
    """The control: the questions can tell a careless assistant from a careful one."""
    careless = Thresholds(score=0.05, margin=0.0, own_words=0.1, strange=100)
    assert judge(load(), careless).precision < 0.8
