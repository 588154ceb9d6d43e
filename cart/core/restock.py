"""A seller changes how many free units there are: once for each key, all SKUs or none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cart.core.movement import Movement, Reason
from cart.core.stock import ON_HAND_LIMIT_UNITS, KeyReused, NotItsSku, Sku

OFFERS_LIMIT: Final = 10_000
"""Most offers to those who wait that a seller's change makes at once. One that could make more is
refused: all of its offers are one transaction, which would last too long."""


@dataclass(frozen=True, slots=True)
class NotFree:
    """So many units of the SKU are free, and the change does not go with that."""

    sku: str
    free: int


@dataclass(frozen=True, slots=True)
class TooManyOffers:
    """The change could make more offers at once than this limit."""

    limit: int


RestockRefusal = NotFree | NotItsSku | KeyReused | TooManyOffers


def restock(
    changes: Mapping[str, int],
    skus: Mapping[str, Sku],
    earlier: Mapping[str, int],
    *,
    reason: Reason,
    key: str,
) -> list[Movement] | RestockRefusal:
    """The movements of free units by SKU; none when the same was done before.

    `skus`: all of the product. `earlier`: the changes that were made of them by this key.
    """
    if earlier:
        return [] if earlier == changes else KeyReused()
    for one, change in changes.items():
        if one not in skus:
            return NotItsSku(one)
        counters = skus[one].counters.stocked(change)
        if counters is None or counters.on_hand > ON_HAND_LIMIT_UNITS:
            return NotFree(one, skus[one].counters.free)
    return [Movement(one, reason, key, free=change) for one, change in changes.items()]


def crowded(movements: Iterable[Movement], waiting: Mapping[str, int]) -> TooManyOffers | None:
    """The refusal of movements that could make too many offers; `waiting`: how many, by SKU."""
    offers = sum(min(one.free, waiting.get(one.sku, 0)) for one in movements if one.free > 0)
    return TooManyOffers(OFFERS_LIMIT) if offers > OFFERS_LIMIT else None
