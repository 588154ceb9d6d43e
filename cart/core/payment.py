"""A payment attempt: what we have done about an order's money, and what to do next.

Two facts meet: our own `Attempt` state, written down before each act, and the `Standing` the
provider reports. `STEPS` says what follows from each pair, so that a buyer who comes back, a
webhook, a repeated webhook and the settle loop all do the same thing, in any order, any number of
times. A charge whose answer never came is UNKNOWN: its units stay claimed until the provider says.
Money for goods that are gone goes back, and what is authorized for a charge that was refused is
given up: VOIDING is repeated until the provider agrees.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Attempt(StrEnum):
    """What we have done; CONFIRMED and VOIDED are the ends from which nothing follows."""

    CREATED = "created"
    CLAIMED = "claimed"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    VOIDING = "voiding"
    VOIDED = "voided"


class AttemptEvent(StrEnum):
    """What can happen to an attempt."""

    CLAIM = "claim"
    FALL_SILENT = "fall_silent"
    CONFIRM = "confirm"
    DECLINE = "decline"
    VOID = "void"
    FINISH_VOID = "finish_void"


class Standing(StrEnum):
    """What the provider knows: PENDING until the buyer decided, CONFIRMED when money moved.

    MISMATCHED: it speaks of another amount, currency or order than we do, whatever came of it.
    """

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    MISMATCHED = "mismatched"


ENDED: Final = (Standing.DECLINED, Standing.CANCELLED)
"""Standings in which the provider keeps no money and takes none."""


class Step(StrEnum):
    """What to do next."""

    WAIT = "wait"
    CLAIM = "claim"
    CHARGE = "charge"
    SELL = "sell"
    LET_GO = "let_go"
    DECLINE = "decline"
    VOID = "void"
    CANCEL = "cancel"
    FINISH_VOID = "finish_void"


NEXT: Final[Mapping[Attempt, Mapping[AttemptEvent, Attempt]]] = {
    Attempt.CREATED: {
        AttemptEvent.CLAIM: Attempt.CLAIMED,
        AttemptEvent.DECLINE: Attempt.DECLINED,
        AttemptEvent.VOID: Attempt.VOIDING,
    },
    Attempt.CLAIMED: {
        AttemptEvent.FALL_SILENT: Attempt.UNKNOWN,
        AttemptEvent.CONFIRM: Attempt.CONFIRMED,
        AttemptEvent.DECLINE: Attempt.DECLINED,
        AttemptEvent.VOID: Attempt.VOIDING,
    },
    Attempt.UNKNOWN: {
        AttemptEvent.CONFIRM: Attempt.CONFIRMED,
        AttemptEvent.DECLINE: Attempt.DECLINED,
        AttemptEvent.VOID: Attempt.VOIDING,
    },
    Attempt.CONFIRMED: {},
    Attempt.DECLINED: {AttemptEvent.VOID: Attempt.VOIDING},
    Attempt.VOIDING: {AttemptEvent.FINISH_VOID: Attempt.VOIDED},
    Attempt.VOIDED: {},
}

ATTEMPTS_LIMIT: Final = 20
"""Most attempts to pay one order, whatever became of them; more are refused."""

OPEN: Final = (Attempt.CREATED, Attempt.CLAIMED, Attempt.UNKNOWN)
"""States of which an order has at most one attempt."""

UNSETTLED: Final = (*OPEN, Attempt.VOIDING)
"""States the settle loop asks the provider about."""

_ASK_FOR_MONEY: Final[Mapping[Standing, Step]] = {
    Standing.PENDING: Step.CHARGE,
    Standing.AUTHORIZED: Step.CHARGE,
    Standing.CONFIRMED: Step.SELL,
    Standing.DECLINED: Step.LET_GO,
    Standing.CANCELLED: Step.LET_GO,
    Standing.MISMATCHED: Step.VOID,
}

STEPS: Final[Mapping[Attempt, Mapping[Standing, Step]]] = {
    Attempt.CREATED: {
        Standing.PENDING: Step.WAIT,
        Standing.AUTHORIZED: Step.CLAIM,
        Standing.CONFIRMED: Step.CLAIM,
        Standing.DECLINED: Step.DECLINE,
        Standing.CANCELLED: Step.DECLINE,
        Standing.MISMATCHED: Step.VOID,
    },
    Attempt.CLAIMED: _ASK_FOR_MONEY,
    Attempt.UNKNOWN: _ASK_FOR_MONEY,
    Attempt.CONFIRMED: {},
    Attempt.DECLINED: {
        Standing.AUTHORIZED: Step.VOID,
        Standing.CONFIRMED: Step.VOID,
        Standing.MISMATCHED: Step.VOID,
    },
    Attempt.VOIDING: {
        Standing.PENDING: Step.CANCEL,
        Standing.AUTHORIZED: Step.CANCEL,
        Standing.CONFIRMED: Step.CANCEL,
        Standing.MISMATCHED: Step.CANCEL,
        Standing.DECLINED: Step.FINISH_VOID,
        Standing.CANCELLED: Step.FINISH_VOID,
    },
    Attempt.VOIDED: {},
}


SETTLED: Final = tuple(state for state, steps in STEPS.items() if not steps)
"""States from which nothing follows, whatever the provider says: it need not be asked."""


def after(state: Attempt, event: AttemptEvent) -> Attempt | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)


def next_step(state: Attempt, standing: Standing, *, order_over: bool, overdue: bool) -> Step:
    """What to do about an attempt.

    `order_over`: the order was cancelled or expired, so nobody may pay it any more. `overdue`: the
    claim has outlived its cap, so an uncharged payment is called off instead of asked for again;
    the units stay claimed until the provider has agreed.
    """
    step = STEPS[state].get(standing, Step.WAIT)
    if step == Step.WAIT and state == Attempt.CREATED and order_over:
        return Step.VOID
    if step == Step.CHARGE and overdue:
        return Step.VOID
    return step
