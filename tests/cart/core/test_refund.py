"""Refunds: tables without dead ends, and never more back than there was."""

from hypothesis import given
from hypothesis import strategies as st

from cart.core.refund import (
    NEXT,
    STEPS,
    UNSETTLED,
    Going,
    NoSuchUnits,
    NothingLeft,
    Planned,
    RefundEvent,
    RefundFacts,
    RefundLine,
    RefundState,
    RefundStep,
    RefundWish,
    after,
    next_step,
    plan,
)

FACTS = RefundFacts(paid_minor=1_000, refunded_minor=200, bought=[2, 3], returned=[0, 1])


def test_tables_know_every_state() -> None:
    assert set(NEXT) == set(STEPS) == set(RefundState)
    for state in UNSETTLED:
        assert set(STEPS[state]) == set(Going), f"{state}: what then?"
        assert NEXT[state]


def test_nothing_follows_from_an_end() -> None:
    for state in (RefundState.DONE, RefundState.FAILED):
        assert all(after(state, event) is None for event in RefundEvent)
        assert all(next_step(state, going) == RefundStep.WAIT for going in Going)


def test_silence_never_fails_a_refund() -> None:
    assert after(RefundState.SENT, RefundEvent.FALL_SILENT) == RefundState.UNKNOWN
    assert after(RefundState.UNKNOWN, RefundEvent.FALL_SILENT) is None
    for state in (RefundState.SENT, RefundState.UNKNOWN):
        assert next_step(state, Going.ABSENT) == RefundStep.ASK


def test_without_lines_or_amount_the_rest_is_meant() -> None:
    assert plan(RefundWish(), FACTS) == Planned((2, 2), 800)
    gone = RefundFacts(paid_minor=5, refunded_minor=5, bought=[1], returned=[1])
    assert plan(RefundWish(), gone) == NothingLeft()


def test_an_amount_alone_moves_no_units() -> None:
    assert plan(RefundWish(amount_minor=70), FACTS) == Planned((0, 0), 70)


def test_lines_of_one_kind_are_summed_before_they_are_checked() -> None:
    twice = RefundLine(line=1, quantity=1)
    assert plan(RefundWish((twice, twice)), FACTS) == Planned((0, 2), None)
    assert plan(RefundWish((twice, twice, twice)), FACTS) == NoSuchUnits(1, 2)
    for line in (-1, 2):
        assert plan(RefundWish((RefundLine(line=line, quantity=1),)), FACTS) == NoSuchUnits(line, 0)


@given(
    bought=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    asked=st.lists(st.tuples(st.integers(-1, 4), st.integers(1, 9)), max_size=12),
)
def test_no_unit_goes_back_twice(bought: list[int], asked: list[tuple[int, int]]) -> None:
    returned = [0] * len(bought)
    for line, quantity in asked:
        wish = RefundWish((RefundLine(line=line, quantity=quantity),))
        planned = plan(wish, RefundFacts(100, 0, bought, returned))
        if isinstance(planned, Planned):
            returned = [then + now for then, now in zip(returned, planned.back, strict=True)]
        assert all(gone <= units for gone, units in zip(returned, bought, strict=True))
