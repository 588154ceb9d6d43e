"""A refund: what goes back of a paid order, and how it goes there.

Deciding is `plan`: whole, by lines, or an amount; never more than was paid, never a unit twice. On
the way two facts meet, as with payments: our own state, written down before each act, and how far
the provider is (`Going`). `STEPS` says what follows, so that the loop, a message and a repetition
all do the same. A refund whose answer never came is UNKNOWN until the provider is asked; asking
for the same one again gives back nothing more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

REASON_LIMIT_CHARS: Final = 200

REFUNDS_LIMIT: Final = 100
"""Of one order; more are refused. Every answer about the order carries all of them."""


class RefundState(StrEnum):
    """Where a refund is in its life; DONE and FAILED are its ends."""

    REQUESTED = "requested"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    SEND = "send"
    FALL_SILENT = "fall_silent"
    FINISH = "finish"
    FAIL = "fail"


class Going(StrEnum):
    """How far the provider is with a refund; ABSENT: it has not heard of it."""

    ABSENT = "absent"
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class RefundStep(StrEnum):
    """What to do next."""

    WAIT = "wait"
    SEND = "send"
    ASK = "ask"
    FINISH = "finish"
    FAIL = "fail"


NEXT: Final[Mapping[RefundState, Mapping[RefundEvent, RefundState]]] = {
    RefundState.REQUESTED: {RefundEvent.SEND: RefundState.SENT},
    RefundState.SENT: {
        RefundEvent.FALL_SILENT: RefundState.UNKNOWN,
        RefundEvent.FINISH: RefundState.DONE,
        RefundEvent.FAIL: RefundState.FAILED,
    },
    RefundState.UNKNOWN: {
        RefundEvent.FINISH: RefundState.DONE,
        RefundEvent.FAIL: RefundState.FAILED,
    },
    RefundState.DONE: {},
    RefundState.FAILED: {},
}

UNSETTLED: Final = (RefundState.REQUESTED, RefundState.SENT, RefundState.UNKNOWN)
"""States the settle loop asks the provider about."""

_ON_ITS_WAY: Final[Mapping[Going, RefundStep]] = {
    Going.ABSENT: RefundStep.ASK,
    Going.PENDING: RefundStep.WAIT,
    Going.DONE: RefundStep.FINISH,
    Going.FAILED: RefundStep.FAIL,
}

STEPS: Final[Mapping[RefundState, Mapping[Going, RefundStep]]] = {
    RefundState.REQUESTED: dict.fromkeys(Going, RefundStep.SEND),
    RefundState.SENT: _ON_ITS_WAY,
    RefundState.UNKNOWN: _ON_ITS_WAY,
    RefundState.DONE: {},
    RefundState.FAILED: {},
}


class RefundLine(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of one line of the order; `line` is its place, from 0."""

    line: int
    quantity: int


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as buyer and seller see it. `restocked`: its units are on sale again."""

    id: str
    state: RefundState
    amount_minor: int
    lines: tuple[RefundLine, ...]
    restocked: bool
    reason: str
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class RefundWish:
    """What somebody wants back: these lines, this amount, or without either the whole rest."""

    lines: tuple[RefundLine, ...] = ()
    amount_minor: int | None = None

    @property
    def whole(self) -> bool:
        """Whether everything that is left is meant."""
        return not self.lines and self.amount_minor is None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """What is true of the order: money that came, money on its way back or there, and by line the
    units bought and those that went back already.
    """

    paid_minor: int
    refunded_minor: int
    bought: Sequence[int]
    returned: Sequence[int]


@dataclass(frozen=True, slots=True)
class Planned:
    """What goes back: units by line, and the money, None when it follows from the units."""

    back: tuple[int, ...]
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class NoSuchUnits:
    """The line does not exist, or has not that many units left to go back."""

    line: int
    left: int


@dataclass(frozen=True, slots=True)
class NothingLeft:
    """Everything went back already."""


def after(state: RefundState, event: RefundEvent) -> RefundState | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)


def next_step(state: RefundState, going: Going) -> RefundStep:
    """What to do about a refund."""
    return STEPS[state].get(going, RefundStep.WAIT)


def plan(wish: RefundWish, facts: RefundFacts) -> Planned | NoSuchUnits | NothingLeft:
    """Which units and how much money go back; the bound of the money is the caller's to keep."""
    left = [bought - gone for bought, gone in zip(facts.bought, facts.returned, strict=True)]
    left_minor = facts.paid_minor - facts.refunded_minor
    if wish.whole:
        back = tuple(left)
        return Planned(back, left_minor) if left_minor or sum(back) else NothingLeft()
    wanted = [0] * len(left)
    for line in wish.lines:
        if not 0 <= line.line < len(left):
            return NoSuchUnits(line.line, 0)
        wanted[line.line] += line.quantity
        if wanted[line.line] > left[line.line]:
            return NoSuchUnits(line.line, left[line.line])
    return Planned(tuple(wanted), wish.amount_minor)
