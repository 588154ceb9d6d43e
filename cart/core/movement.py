"""Where a hold's units lie, and what moves when holds change state.

The piles follow from the states, so that no use case ever counts for itself: whoever turns
holds gets the SKUs that result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cart.core.hold import HoldEvent, HoldState, after
from cart.core.stock import Pile, Sku

PILE: Final[Mapping[HoldState, Pile]] = {
    HoldState.HELD: Pile.HELD,
    HoldState.ORDERED: Pile.HELD,
    HoldState.PAYING: Pile.HELD,
    HoldState.SOLD: Pile.SOLD,
    HoldState.RELEASED: Pile.FREE,
    HoldState.EXPIRED: Pile.FREE,
}


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one hold."""

    hold: str
    sku: str
    product: str
    quantity: int
    state: HoldState


@dataclass(frozen=True, slots=True)
class Turned:
    """What an event did: the new state by hold, and the SKUs whose piles changed."""

    states: Mapping[str, HoldState]
    changed: Mapping[str, Sku]


def turn(holds: Sequence[Units], event: HoldEvent, skus: Mapping[str, Sku]) -> Turned | None:
    """Let one event happen to all holds; None, and nothing happens, if one of them cannot."""
    states: dict[str, HoldState] = {}
    result = dict(skus)
    for units in holds:
        state = after(units.state, event)
        if state is None:
            return None
        states[units.hold] = state
        sku = result[units.sku]
        result[units.sku] = sku.moved(PILE[units.state], PILE[state], units.quantity)
    changed = {one: sku for one, sku in result.items() if sku.counters != skus[one].counters}
    return Turned(states, changed)
