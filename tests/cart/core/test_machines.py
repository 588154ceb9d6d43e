"""The state tables: whole, without dead ends, and agreeing with each other."""

from collections.abc import Mapping

import pytest

from cart.core import auction, hold, order, payment, waitlist
from cart.core.hold import HoldEvent, HoldState
from cart.core.movement import PILE, Reason, Units, turn
from cart.core.order import HOLDS_FOLLOW, OrderEvent, OrderState
from cart.core.payment import Attempt, AttemptEvent, Standing, Step, next_step
from cart.core.stock import Pile

HOLD_OF_ORDER = {
    OrderState.PLACED: HoldState.ORDERED,
    OrderState.PAYING: HoldState.PAYING,
    OrderState.PAID: HoldState.SOLD,
    OrderState.CANCELLED: HoldState.RELEASED,
    OrderState.EXPIRED: HoldState.EXPIRED,
}


@pytest.mark.parametrize(
    "table", [hold.NEXT, order.NEXT, payment.NEXT, waitlist.NEXT, auction.NEXT]
)
def test_tables_know_every_state(table: Mapping[object, Mapping[object, object]]) -> None:
    (kind,) = {type(state) for state in table}
    assert set(table) == set(kind)  # type: ignore[call-overload]
    assert all(target in table for events in table.values() for target in events.values())


def test_holds_go_where_their_order_goes() -> None:
    for state, events in order.NEXT.items():
        for event, target in events.items():
            assert hold.after(HOLD_OF_ORDER[state], HOLDS_FOLLOW[event]) == HOLD_OF_ORDER[target]


def test_every_order_event_has_a_hold_event_and_every_hold_state_a_pile() -> None:
    assert set(HOLDS_FOLLOW) == set(OrderEvent)
    assert set(PILE) == set(HoldState)


def test_units_only_become_free_from_states_where_no_money_moves() -> None:
    freeing = {
        state
        for state, events in hold.NEXT.items()
        for target in events.values()
        if PILE[target] == Pile.FREE
    }
    assert HoldState.PAYING not in freeing


def test_whatever_changes_a_pile_has_a_reason() -> None:
    changing = {
        event
        for state, events in hold.NEXT.items()
        for event, target in events.items()
        if PILE[state] != PILE[target]
    }
    assert {event.value for event in changing} <= {reason.value for reason in Reason}


def test_impossible_event_changes_nothing() -> None:
    sold = Units("h1", "camellia", "camellia", 1, HoldState.SOLD)
    assert turn([sold], HoldEvent.EXPIRE) is None
    assert order.after(OrderState.PAYING, OrderEvent.CANCEL) is None
    assert payment.after(Attempt.VOIDED, AttemptEvent.CONFIRM) is None


def test_steps_know_every_attempt() -> None:
    assert set(payment.STEPS) == set(Attempt)
    for state in payment.UNSETTLED:
        assert set(payment.STEPS[state]) == set(Standing), f"{state}: what then?"


def test_claim_is_never_let_go_on_silence_or_while_money_may_move() -> None:
    for state in (Attempt.CLAIMED, Attempt.UNKNOWN):
        for standing in (Standing.PENDING, Standing.AUTHORIZED, Standing.CONFIRMED):
            for overdue in (False, True):
                step = next_step(state, standing, order_over=False, overdue=overdue)
                assert step not in (Step.LET_GO, Step.DECLINE, Step.WAIT)


def test_money_that_came_is_sold_or_goes_back() -> None:
    ends = {Step.CLAIM, Step.SELL, Step.VOID, Step.CANCEL}
    for state in Attempt:
        step = next_step(state, Standing.CONFIRMED, order_over=True, overdue=True)
        assert step in ends or state in (Attempt.CONFIRMED, Attempt.VOIDED)


def test_abandoned_attempt_of_an_ended_order_is_called_off() -> None:
    pending = (Attempt.CREATED, Standing.PENDING)
    assert next_step(*pending, order_over=True, overdue=False) == Step.VOID
    assert next_step(*pending, order_over=False, overdue=False) == Step.WAIT


def test_overdue_charge_is_called_off() -> None:
    asked = (Attempt.UNKNOWN, Standing.AUTHORIZED)
    assert next_step(*asked, order_over=False, overdue=True) == Step.VOID
    assert next_step(*asked, order_over=False, overdue=False) == Step.CHARGE
