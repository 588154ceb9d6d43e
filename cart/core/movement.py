"""What moves units, and why: each change of a pile is a movement, and piles change by no other.

Where a hold's units lie follows from its state, so that no use case ever counts for itself: whoever
turns holds gets the movements that result. The sums of a SKU's movements are its counters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec

from cart.core.hold import COUNTED, LIVE, NEXT, Hold, HoldEvent, HoldState, after
from cart.core.stock import Counters, Pile, Sku

PILE: Final[Mapping[HoldState, Pile]] = {
    HoldState.HELD: Pile.HELD,
    HoldState.ORDERED: Pile.HELD,
    HoldState.PAYING: Pile.HELD,
    HoldState.SOLD: Pile.SOLD,
    HoldState.RELEASED: Pile.FREE,
    HoldState.EXPIRED: Pile.FREE,
}

STILL: Final = frozenset(
    event
    for event in HoldEvent
    if all(PILE[then[event]] == PILE[state] for state, then in NEXT.items() if event in then)
)
"""What happens to holds and moves no units: none of their products needs to be locked for it."""


class Reason(StrEnum):
    """Why units moved."""

    OPENING = "opening"
    HOLD = "hold"
    AUCTION = "auction"
    SELL = "sell"
    RELEASE = "release"
    EXPIRE = "expire"
    RESTOCK = "restock"
    CORRECTION = "correction"
    IMPORT = "import"


class Movement(msgspec.Struct, frozen=True, gc=False):
    """By how much one SKU's piles changed at once.

    `ref`: the hold that did it, or the idempotency key of the seller's request.
    """

    sku: str
    reason: Reason
    ref: str
    free: int = 0
    held: int = 0
    sold: int = 0


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one hold."""

    hold: str
    sku: str
    product: str
    quantity: int
    state: HoldState
    deal: str | None = None


@dataclass(frozen=True, slots=True)
class Turned:
    """What an event did: the new state by hold, and the movements of those that changed piles.

    `given_back`: units no longer taken at deals' prices.
    """

    states: Mapping[str, HoldState]
    movements: Sequence[Movement]
    given_back: Mapping[str, int]


def turn(holds: Sequence[Units], event: HoldEvent) -> Turned | None:
    """Let one event happen to all holds; None, and nothing happens, if one of them cannot."""
    states: dict[str, HoldState] = {}
    movements: list[Movement] = []
    given_back: dict[str, int] = {}
    for units in holds:
        state = after(units.state, event)
        if state is None:
            return None
        states[units.hold] = state
        if units.deal is not None and units.state in COUNTED and state not in COUNTED:
            given_back[units.deal] = given_back.get(units.deal, 0) + units.quantity
        source, target = PILE[units.state], PILE[state]
        if source != target:
            changes = {source.value: -units.quantity, target.value: units.quantity}
            movements.append(Movement(units.sku, Reason(event.value), units.hold, **changes))
    return Turned(states, movements, given_back)


def lapsed(holds: Sequence[Units], turned: Turned) -> list[str]:
    """The holds that were let go before any money moved, so that their units became free."""
    return [
        units.hold
        for units in holds
        if units.state in LIVE and PILE[turned.states[units.hold]] == Pile.FREE
    ]


def taken(holds: Iterable[Hold]) -> list[Movement]:
    """The movements of new holds."""
    return [
        Movement(hold.sku, Reason.HOLD, hold.id, free=-hold.quantity, held=hold.quantity)
        for hold in holds
    ]


def dealt(holds: Iterable[Hold]) -> dict[str, int]:
    """The units that new holds take at deals' prices, by deal."""
    units: dict[str, int] = {}
    for hold in holds:
        if hold.deal is not None:
            units[hold.deal] = units.get(hold.deal, 0) + hold.quantity
    return units


def moved(skus: Mapping[str, Sku], movements: Iterable[Movement]) -> dict[str, Sku]:
    """Those of the SKUs that the movements change, as they are then (version not raised)."""
    piles: dict[str, tuple[int, int, int]] = {}
    for movement in movements:
        free, held, sold = piles.get(movement.sku, (0, 0, 0))
        piles[movement.sku] = (free + movement.free, held + movement.held, sold + movement.sold)
    result: dict[str, Sku] = {}
    for one, (free, held, sold) in piles.items():
        was = skus[one].counters
        now = Counters(was.free + free, was.held + held, was.sold + sold)
        if now != was:
            result[one] = replace(skus[one], counters=now)
    return result
