"""Who waits for units of a SKU that is sold out, and who of them is offered what becomes free.

Always true of every SKU between two transactions: as long as a unit is free, nobody waits. So
nobody who comes later overtakes who came first. Units that become free are offered in the order of
arrival, each offer a hold with a timer of its own, named like the wait it ends. `NEXT` is the whole
machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from cart.core.deal import DealShort
from cart.core.hold import QUANTITY_LIMIT_UNITS, Hold, HoldLine
from cart.core.stock import (
    Deciding,
    Decision,
    Facts,
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    NoSuchSku,
    OutOfBounds,
    Sku,
)

BUYER_LIMIT_WAITS: Final = 20
"""Most SKUs one buyer waits for at a time; more are refused."""

SKU_LIMIT_WAITS: Final = 5_000
"""Most buyers who wait for one SKU; more are refused."""


class WaitState(StrEnum):
    """Where a wait is in its life; PASSED_OVER: the buyer's turn came, and nothing could be had."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    DECLINED = "declined"
    EXPIRED = "expired"
    LEFT = "left"
    PASSED_OVER = "passed_over"


class WaitEvent(StrEnum):
    """What can happen to a wait."""

    OFFER = "offer"
    SKIP = "skip"
    LEAVE = "leave"
    TAKE = "take"
    DECLINE = "decline"
    EXPIRE = "expire"


NEXT: Final[Mapping[WaitState, Mapping[WaitEvent, WaitState]]] = {
    WaitState.WAITING: {
        WaitEvent.OFFER: WaitState.OFFERED,
        WaitEvent.SKIP: WaitState.PASSED_OVER,
        WaitEvent.LEAVE: WaitState.LEFT,
    },
    WaitState.OFFERED: {
        WaitEvent.TAKE: WaitState.TAKEN,
        WaitEvent.DECLINE: WaitState.DECLINED,
        WaitEvent.EXPIRE: WaitState.EXPIRED,
    },
    WaitState.TAKEN: {},
    WaitState.DECLINED: {},
    WaitState.EXPIRED: {},
    WaitState.LEFT: {},
    WaitState.PASSED_OVER: {},
}

LIVE: Final = (WaitState.WAITING, WaitState.OFFERED)
"""States in which a buyer has one wait for a SKU and no second."""


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """A wait as its buyer sees it at `now_ms`.

    `place`: in the line, 1 for who is next; None when not waiting any more. `offer_ms`: how long an
    offer will be good. `expires_at_ms`: the deadline of the offer there is, a hold of the same id.
    """

    id: str
    sku: str
    product: str
    title: str
    options: tuple[str, ...]
    quantity: int
    show: str | None
    state: WaitState
    place: int | None
    offer_ms: int
    expires_at_ms: int | None
    now_ms: int


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """Somebody wants to be offered units; `id`: what the wait, and its offer, will be called."""

    id: str
    buyer: str
    key: str
    sku: str
    quantity: int
    show: str | None
    offer_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait whose turn may have come."""

    id: str
    buyer: str
    sku: str
    quantity: int
    show: str | None
    offer_ms: int


@dataclass(frozen=True, slots=True)
class Line:
    """What is true when somebody wants to wait, the SKU's product being locked.

    `kept`: the wait of an earlier request with this key. `lives`: whether the buyer waits for the
    SKU, or is being offered it. `has`: units of the product the buyer has. `own`: what the buyer
    waits for in all. `length`: how many wait for the SKU.
    """

    sku: Sku | None
    kept: Wait | None
    lives: bool
    has: int
    own: int
    length: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """The buyer may wait."""


@dataclass(frozen=True, slots=True)
class StillFree:
    """So many are free: hold them instead."""

    sku: str
    free: int


@dataclass(frozen=True, slots=True)
class AlreadyWaiting:
    """The buyer waits for the SKU, or is being offered it."""


@dataclass(frozen=True, slots=True)
class TooManyWaits:
    """The buyer waits for as many SKUs as one may, or as many wait for the SKU as may."""

    limit: int


@dataclass(frozen=True, slots=True)
class Offers:
    """What becomes of those whose turn it is.

    `made`: holds, with buyer and idempotency key. `passed`: waits that end without an offer.
    """

    made: Sequence[tuple[str, str, Hold]]
    passed: Sequence[str]


WaitRefusal = (
    NoSuchSku | OutOfBounds | KeyReused | StillFree | AlreadyWaiting | LimitReached | TooManyWaits
)


def after(state: WaitState, event: WaitEvent) -> WaitState | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)


def judge(request: WaitRequest, line: Line) -> Welcome | Wait | WaitRefusal:
    """Whether somebody may wait; the wait of then, if this was asked before."""
    if line.kept is not None:
        return _repeated(request, line.kept)
    if not 1 <= request.quantity <= QUANTITY_LIMIT_UNITS:
        return OutOfBounds(QUANTITY_LIMIT_UNITS)
    sku = line.sku
    if sku is None:
        return NoSuchSku(request.sku)
    if line.lives:
        return AlreadyWaiting()
    if sku.counters.free > 0:
        return StillFree(sku.id, sku.counters.free)
    if sku.limit_per_buyer is not None and line.has + request.quantity > sku.limit_per_buyer:
        return LimitReached(sku.product, sku.limit_per_buyer)
    if line.own >= BUYER_LIMIT_WAITS:
        return TooManyWaits(BUYER_LIMIT_WAITS)
    if line.length >= SKU_LIMIT_WAITS:
        return TooManyWaits(SKU_LIMIT_WAITS)
    return Welcome()


def offer(waiting: Sequence[Waiting], facts: Facts) -> Offers:
    """Offer free units to those who wait, first come first served, at the price of now.

    Who cannot be given all is offered what there is. Who may have no more, or none because a deal
    has shut the product to them, is passed over. Those for whom nothing is left are not spoken of:
    they go on waiting.
    """
    deciding = Deciding(facts)
    free = {one: sku.counters.free for one, sku in facts.skus.items()}
    made: list[tuple[str, str, Hold]] = []
    passed: list[str] = []
    for wait in waiting:
        if free[wait.sku] == 0:
            continue
        decision = _most(wait, min(wait.quantity, free[wait.sku]), deciding)
        if not isinstance(decision, Granted):
            passed.append(wait.id)
            continue
        (hold,) = decision.holds
        free[wait.sku] -= hold.quantity
        timed = msgspec.structs.replace(hold, expires_at_ms=facts.now_ms + wait.offer_ms)
        made.append((wait.buyer, _key(wait), timed))
    return Offers(made, passed)


def _most(wait: Waiting, quantity: int, deciding: Deciding) -> Decision:
    """Grant as many as may be had; the refusal of the last one if none may."""
    while True:
        line = HoldLine(sku=wait.sku, quantity=quantity)
        request = HoldRequest((wait.id,), wait.buyer, _key(wait), (line,), wait.show)
        decision = deciding.decide(request)
        match decision:
            case DealShort(_, left):
                quantity = left
            case LimitReached() if quantity > 1:
                quantity -= 1
            case _:
                return decision


def _key(wait: Waiting) -> str:
    """What no client can send as a key: it has a space."""
    return f"wait {wait.id}"


def _repeated(request: WaitRequest, kept: Wait) -> Wait | KeyReused:
    same = (request.sku, request.quantity, request.show) == (kept.sku, kept.quantity, kept.show)
    return kept if same else KeyReused()
