"""How often the assistant's answers are right, by set, language and half."""

from collections.abc import Callable
from typing import Final

import pytest

from chat.core.assistant.facts import Thresholds
from tests.chat.assistant.questions import SETS, half, judge, load, report

FLOORS: Final = {"questions": (0.95, 0.9), "strangers": (0.96, 0.62)}
"""The least precision and coverage of a set, in every language and half."""
USUAL: Final = Thresholds()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("korean", [True, False], ids=["korean", "english"])
@pytest.mark.parametrize("judging", [False, True], ids=["tuning", "judging"])
def test_what_is_answered_is_right(name: str, korean: bool, judging: bool) -> None:
    score = judge(half(load(name), korean=korean, judging=judging), USUAL)
    precision, coverage = FLOORS[name]
    assert score.asked >= 60
    assert score.precision >= precision, score.wrong
    assert score.coverage >= coverage


@pytest.mark.parametrize("name", SETS)
def test_the_figures(name: str, record_property: Callable[[str, object], None]) -> None:
    figures = report(name, load(name), USUAL)
    print(figures)
    record_property(f"assistant, {name}", figures)
    assert figures.count("precision") == 4


@pytest.mark.parametrize("name", SETS)
def test_without_thresholds_strangers_are_answered(name: str) -> None:
    """The control: the questions can tell a careless assistant from a careful one."""
    careless = Thresholds(score=0.05, margin=0.0, own_words=0.1, strange=100)
    assert judge(load(name), careless).precision < 0.9
