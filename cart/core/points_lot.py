"""Lots: which points of a buyer's READY purse are how old, so that the oldest go first.

What an order earned is a lot once it is ripe. Points that leave READY leave the lots that expire
first; what an order took of which lot is remembered, and comes back to it: with the day it had, or,
where that is over, with `RETURNED_DAYS` more. So the lots of a buyer always are what is ready.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from cart.core.points import PointsReason, Purse, Transfer

POINTS_DAYS: Final = 365
"""How long a new store's points can be spent."""

POINTS_DAYS_LEAST: Final = 30
POINTS_DAYS_MOST: Final = 3_650

RETURNED_DAYS: Final = 30
"""How long points can be spent that come back after their time."""

SOON_DAYS: Final = 30
"""Points that expire within so many days are told."""

DAY_MS: Final = 86_400_000


class Expiring(msgspec.Struct, frozen=True, kw_only=True):
    """So many points can be spent until then."""

    amount_minor: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Lot:
    """What is ready of an order's earnings, which go back to the store; no date: they stay."""

    order: str
    buyer: str
    store: str
    ready_minor: int
    expires_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Lots:
    """Lots by order, and what orders took of them: by order and lot."""

    lots: Mapping[str, Lot]
    uses: Mapping[tuple[str, str], int]


def follow(before: Lots, transfers: Iterable[Transfer], now_ms: int) -> Lots:
    """The lots after transfers from and to READY; `before` has all that these concern.

    A lot that ripens is among them, with nothing in it yet.
    """
    lots, uses = dict(before.lots), dict(before.uses)
    for transfer in transfers:
        if transfer.reason == PointsReason.RIPEN:
            lot = lots[transfer.order]
            lots[lot.order] = replace(lot, ready_minor=lot.ready_minor + transfer.amount_minor)
        elif transfer.target == Purse.READY:
            _put_back(lots, uses, transfer, now_ms)
        elif transfer.source == Purse.READY:
            for one, amount_minor in _take(lots, transfer).items():
                lots[one] = replace(lots[one], ready_minor=lots[one].ready_minor - amount_minor)
                if transfer.reason == PointsReason.RESERVE:
                    uses[transfer.order, one] = uses.get((transfer.order, one), 0) + amount_minor
    return Lots(lots, uses)


def expiry(lot: Lot) -> Transfer:
    """The transfer that takes what is left of a lot whose time is over."""
    return Transfer(
        # A lot may have another day after points came back to it, and expires once on each.
        ref=f"{PointsReason.EXPIRE} {lot.order} {lot.expires_at_ms}",
        reason=PointsReason.EXPIRE,
        buyer=lot.buyer,
        store=lot.store,
        order=lot.order,
        source=Purse.READY,
        target=Purse.STORE,
        amount_minor=lot.ready_minor,
    )


def _take(lots: Mapping[str, Lot], transfer: Transfer) -> Mapping[str, int]:
    """From which lots so much goes: what its own order earned first, unless that is spending."""
    own = transfer.order if transfer.reason != PointsReason.RESERVE else ""
    theirs = (lot for lot in lots.values() if lot.buyer == transfer.buyer)
    taken: dict[str, int] = {}
    left = transfer.amount_minor
    for lot in sorted(theirs, key=lambda lot: (lot.order != own, *_age(lot))):
        amount_minor = min(left, lot.ready_minor)
        if amount_minor:
            taken[lot.order] = amount_minor
            left -= amount_minor
    assert left == 0, "points from nothing"
    return taken


def _put_back(
    lots: dict[str, Lot], uses: dict[tuple[str, str], int], transfer: Transfer, now_ms: int
) -> None:
    """What was taken last comes back first."""
    left = transfer.amount_minor
    taken = [lot for order, lot in uses if order == transfer.order]
    for one in sorted(taken, key=lambda lot: _age(lots[lot]), reverse=True):
        amount_minor = min(left, uses[transfer.order, one])
        if not amount_minor:
            continue
        lot = lots[one]
        until_ms = lot.expires_at_ms
        if until_ms is not None and until_ms <= now_ms:
            until_ms = now_ms + RETURNED_DAYS * DAY_MS
        lots[one] = replace(lot, ready_minor=lot.ready_minor + amount_minor, expires_at_ms=until_ms)
        uses[transfer.order, one] -= amount_minor
        left -= amount_minor
    assert left == 0, "more comes back than was taken"


def _age(lot: Lot) -> tuple[bool, int, str]:
    """What sorts lots, the first to expire first."""
    return lot.expires_at_ms is None, lot.expires_at_ms or 0, lot.order
