"""Questions: what may become of them, who may add one, and what everybody is told."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.questions import (
    OPEN_PER_PERSON,
    OPEN_PER_SHOW,
    Objection,
    Origin,
    Question,
    State,
    is_worth_handing_over,
    objection,
    settle,
    told_to_everybody,
)

ASKED: Final = Question(
    id="q1",
    show="spring",
    store="flowers",
    asker="bom",
    name="봄",
    text="향이 진한가요?",
    product="tulip",
    handed_over=False,
    asked_at_ms=1_000,
)
ALLOWED: Final = {
    (State.OPEN, State.ANSWERED_LIVE),
    (State.OPEN, State.ANSWERED_TEXT),
    (State.OPEN, State.DISMISSED),
    (State.ANSWERED_LIVE, State.ANSWERED_TEXT),
    (State.ANSWERED_LIVE, State.DISMISSED),
    (State.ANSWERED_TEXT, State.DISMISSED),
}
SETTLED: Final = [state for state in State if state is not State.OPEN]
step = st.sampled_from(SETTLED).flatmap(
    lambda state: st.tuples(
        st.just(state),
        st.sampled_from(["네", "아니요"]) if state is State.ANSWERED_TEXT else st.none(),
        st.sampled_from(["dal", "haru"]),
    )
)


def settled(*states: State) -> Question:
    """The question after these states, one after another."""
    question = ASKED
    for number, state in enumerate(states):
        text = "네" if state is State.ANSWERED_TEXT else None
        after = settle(question, state, text, "dal", 2_000 + number)
        assert after is not None
        question = after
    return question


@given(st.lists(step, max_size=8))
def test_a_question_changes_as_the_table_allows_and_each_change_is_a_version(
    steps: list[tuple[State, str | None, str]],
) -> None:
    question = ASKED
    for now_ms, (state, text, by) in enumerate(steps, 2_000):
        after = settle(question, state, text, by, now_ms)
        if (question.state, question.answer) == (state, text):
            assert after is question
        elif (question.state, state) in ALLOWED:
            assert after is not None
            assert (after.state, after.answer, after.settled_by) == (state, text, by)
            assert (after.version, after.settled_at_ms) == (question.version + 1, now_ms)
            changed = {"state", "answer", "settled_by", "settled_at_ms", "version"}
            for name in set(Question.__struct_fields__) - changed:
                assert getattr(after, name) == getattr(question, name)
        else:
            assert after is None
        question = after or question
    assert (question.answer is not None) is (question.state is State.ANSWERED_TEXT)


@given(st.lists(step, max_size=8))
def test_everybody_is_told_what_was_answered_and_when_that_is_taken_back(
    steps: list[tuple[State, str | None, str]],
) -> None:
    question, answered = ASKED, False
    for state, text, by in steps:
        question = settle(question, state, text, by, 2_000) or question
        answered = answered or question.state in {State.ANSWERED_LIVE, State.ANSWERED_TEXT}
        told = told_to_everybody(question)
        assert (told is not None) is answered
        if told is not None:
            taken_back = question.state is State.DISMISSED
            assert told.question == ("" if taken_back else ASKED.text)
            assert (told.state, told.version) == (question.state, question.version)
            assert "bom" not in msgspec.json.encode(told).decode()


def test_who_answers_later_than_another_is_told_so() -> None:
    answered = settled(State.ANSWERED_TEXT)
    assert settle(answered, State.ANSWERED_TEXT, "네", "haru", 9_000) is answered
    assert settle(answered, State.ANSWERED_TEXT, "아니요", "haru", 9_000) is None
    assert settle(settled(State.DISMISSED), State.ANSWERED_LIVE, None, "dal", 9_000) is None


@given(st.sampled_from(Origin), st.integers(0, 300), st.integers(0, 5))
def test_no_more_questions_wait_than_may(origin: Origin, in_show: int, of_person: int) -> None:
    found = objection(origin, in_show, of_person)
    person_full = origin is not Origin.MODERATOR and of_person >= OPEN_PER_PERSON
    show_full = in_show >= OPEN_PER_SHOW[origin]
    assert (found is None) is not (person_full or show_full)
    assert found is None or found is (Objection.TOO_MANY if person_full else Objection.FULL)


@pytest.mark.parametrize(
    ("text", "worth"),
    [
        *(
            (text, False)
            for text in (
                "?",
                "???",
                "네?",
                "왜요?",
                "진짜요?",
                "아아아아아아?",
                "ㅋㅋㅋㅎㅎㅎㅋㅋㅋ?",
            )
        ),
        *((text, False) for text in ("", "what?", "really?", "1234567890?", "REALLLLLLLLY?")),
        *(
            (text, True)
            for text in ("이거 뭐예요?", "배송비는?", "Is it big?", "세탁기 돌려도 되나요")
        ),
    ],
)
def test_exclamations_are_not_handed_over(text: str, worth: bool) -> None:
    assert is_worth_handing_over(text) is worth


@pytest.mark.parametrize(
    ("less", "more"),
    [(Origin.ASSISTANT, Origin.VIEWER), (Origin.VIEWER, Origin.MODERATOR)],
)
def test_what_was_asked_on_purpose_finds_room_where_the_rest_does_not(
    less: Origin, more: Origin
) -> None:
    waiting = OPEN_PER_SHOW[less]
    assert objection(less, waiting, 0) is Objection.FULL
    assert objection(more, waiting, 0) is None
