"""Deals of a show: a price that holds there alone, while the show is live or for a flash's length.

Which state a deal is in follows from the time (`at`); whoever decides asks with the ledger's time,
so no sweep has to come first. `taken` counts the units of holds made at the deal's price that were
not given back, whatever became of the deal meanwhile. A deal belongs to one product, whose lock
is the deal's lock too. `NEXT` is the whole machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

COUNTDOWN_LEAST_S: Final = 10
COUNTDOWN_MOST_S: Final = 300
"""A countdown before a flash's start; others are refused."""

LENGTH_LEAST_S: Final = 60
LENGTH_MOST_S: Final = 1_200
"""How long a flash runs; others are refused."""

PERCENT_LIMIT: Final = 90
"""Most that is taken off; more is refused."""

UNITS_LIMIT: Final = 1_000_000
"""Most units of a deal; more are refused."""

SKUS_LIMIT: Final = 100
"""Most SKUs a deal names; more are refused."""


class DealKind(StrEnum):
    """`LIVE`: for as long as the show is live. `FLASH`: for a length of time, so many units."""

    LIVE = "live"
    FLASH = "flash"


class DealState(StrEnum):
    """Where a deal is in its life."""

    ANNOUNCED = "announced"
    RUNNING = "running"
    ENDED = "ended"
    CANCELLED = "cancelled"


class DealEvent(StrEnum):
    """What can happen to a deal."""

    START = "start"
    END = "end"


NEXT: Final[Mapping[DealState, Mapping[DealEvent, DealState]]] = {
    DealState.ANNOUNCED: {
        DealEvent.START: DealState.RUNNING,
        DealEvent.END: DealState.CANCELLED,
    },
    DealState.RUNNING: {DealEvent.END: DealState.ENDED},
    DealState.ENDED: {},
    DealState.CANCELLED: {},
}

OPEN: Final = (DealState.ANNOUNCED, DealState.RUNNING)
"""States in which a deal is its product's only one."""


class Deal(msgspec.Struct, frozen=True, kw_only=True):
    """A deal as everybody sees it.

    Either a `price_minor` or a `percent_off` the SKU's own price; `skus`: those it is for, none
    named: all of the product. `units`, `limit_per_buyer`: None where there is no limit. `shuts`:
    from its start on the product is sold in the deal or not at all, until its seller opens it
    again or the show is over. `starts_at_ms` None: when the seller says so (a live price: when the
    show is live). `ends_at_ms` None: with the show.
    """

    id: str
    store: str
    show: str
    product: str
    kind: DealKind
    state: DealState
    price_minor: int | None
    percent_off: int | None
    skus: tuple[str, ...]
    units: int | None
    taken: int
    limit_per_buyer: int | None
    shuts: bool
    length_ms: int | None
    starts_at_ms: int | None
    ends_at_ms: int | None
    version: int

    @property
    def left(self) -> int | None:
        """Units that may still be had at this price; None: no limit."""
        return None if self.units is None else self.units - self.taken

    @property
    def rules(self) -> bool:
        """Whether it has, or may come to have, a say in what its product costs."""
        return self.state in OPEN or (self.state is DealState.ENDED and self.shuts)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody wants units of a SKU in a show; `has`: what this buyer has at the deal's price."""

    sku: str
    price_minor: int
    quantity: int
    show: str | None
    has: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What one unit costs; `deal`: by which deal, None at the SKU's own price."""

    price_minor: int
    deal: str | None = None


@dataclass(frozen=True, slots=True)
class DealShort:
    """So few units are left at the deal's price: fewer than were asked for."""

    product: str
    left: int


@dataclass(frozen=True, slots=True)
class DealLimit:
    """The buyer has, or would have, more at the deal's price than one may."""

    limit: int


@dataclass(frozen=True, slots=True)
class NotForSale:
    """The product is sold in its deal or not at all, and this is not in the deal."""

    product: str


Judgement = Offer | DealShort | DealLimit | NotForSale


def at(deal: Deal, now_ms: int) -> Deal:
    """The deal as it is at that time, its clock alone considered."""
    state = deal.state
    if state is DealState.ANNOUNCED and _reached(deal.starts_at_ms, now_ms):
        state = NEXT[state][DealEvent.START]
    if state is DealState.RUNNING and _reached(deal.ends_at_ms, now_ms):
        state = NEXT[state][DealEvent.END]
    return deal if state is deal.state else msgspec.structs.replace(deal, state=state)


def runs(deal: Deal, now_ms: int) -> bool:
    """Whether units may be had at its price at that time."""
    return at(deal, now_ms).state is DealState.RUNNING and deal.left != 0


def start(deal: Deal, now_ms: int, countdown_ms: int = 0) -> Deal | None:
    """The deal started, or counting down to it; what runs already runs on.

    None when it is over, or runs and is to count down.
    """
    now = at(deal, now_ms)
    if now.state is DealState.RUNNING and not countdown_ms:
        return now
    state = NEXT[now.state].get(DealEvent.START)
    if state is None:
        return None
    starts_at_ms = now_ms + countdown_ms
    ends_at_ms = None if deal.length_ms is None else starts_at_ms + deal.length_ms
    return msgspec.structs.replace(
        now,
        state=now.state if countdown_ms else state,
        starts_at_ms=starts_at_ms,
        ends_at_ms=ends_at_ms,
    )


def end(deal: Deal, now_ms: int, *, opens: bool = False) -> Deal:
    """The deal ended, or cancelled before its start; what is over stays as it is.

    `opens`: it no longer shuts its product.
    """
    now = at(deal, now_ms)
    state = NEXT[now.state].get(DealEvent.END, now.state)
    return msgspec.structs.replace(
        now,
        state=state,
        ends_at_ms=now.ends_at_ms if state is now.state else now_ms,
        shuts=now.shuts and not opens,
    )


def follow(deal: Deal, stage: str, now_ms: int) -> Deal:
    """The deal as its clock and its show's stage (`scheduled`, `live`, `ended`) have it."""
    if stage == "ended":
        return end(deal, now_ms, opens=True)
    now = at(deal, now_ms)
    if now.kind is DealKind.LIVE and now.state is DealState.ANNOUNCED and stage == "live":
        return start(now, now_ms) or now
    return now


def price(deal: Deal, own_minor: int) -> int:
    """What a unit costs in the deal when its own price is `own_minor`; never more than that."""
    if deal.price_minor is not None:
        return min(own_minor, deal.price_minor)
    assert deal.percent_off is not None
    return max(1, own_minor * (100 - deal.percent_off) // 100)


def judge(deal: Deal, ask: Ask, now_ms: int) -> Judgement:
    """What the units cost at that time, or why they cannot be had."""
    own = Offer(ask.price_minor)
    if deal.skus and ask.sku not in deal.skus:
        return own
    state = at(deal, now_ms).state
    if state in {DealState.ANNOUNCED, DealState.CANCELLED}:
        return own
    if state is DealState.ENDED or ask.show != deal.show or deal.left == 0:
        return NotForSale(deal.product) if deal.shuts else own
    if deal.limit_per_buyer is not None and ask.has + ask.quantity > deal.limit_per_buyer:
        return DealLimit(deal.limit_per_buyer)
    if deal.left is not None and ask.quantity > deal.left:
        return DealShort(deal.product, deal.left)
    return Offer(price(deal, ask.price_minor), deal.id)


def took(deal: Deal, units: int) -> Deal:
    """After `units` were taken at its price; given back where it is below zero."""
    taken = deal.taken + units
    assert taken >= 0, "more returned to a deal than was taken"
    assert deal.units is None or taken <= deal.units, "more taken than a deal has"
    return msgspec.structs.replace(deal, taken=taken)


def _reached(moment_ms: int | None, now_ms: int) -> bool:
    return moment_ms is not None and moment_ms <= now_ms
