"""The ledger's arithmetic: who gets which units, decided for a whole batch in arrival order.

Always true of every SKU: `on_hand = free + held + sold` and none of them is below zero. A hold
moves units from free to held; none is ever made or lost by one. A request is granted whole or
not at all. The same buyer with the same key gets the same holds again, in this batch or from an
earlier one. What is made for each hold is a struct the garbage collector need not look at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from cart.core.deal import (
    Ask,
    Deal,
    DealLimit,
    DealShort,
    Judgement,
    NotForSale,
    Offer,
    judge,
    took,
)
from cart.core.hold import QUANTITY_LIMIT_UNITS, Hold, HoldLine, HoldState

ON_HAND_LIMIT_UNITS: Final = 1_000_000_000
"""Most units of one SKU; more are refused. Fits PostgreSQL's integer."""


class Pile(StrEnum):
    """Where a unit lies."""

    FREE = "free"
    HELD = "held"
    SOLD = "sold"


@dataclass(frozen=True, slots=True)
class Counters:
    """One SKU's units by pile."""

    free: int
    held: int
    sold: int

    def __post_init__(self) -> None:
        """No pile is ever below zero."""
        assert self.free >= 0, "more given away than there was"
        assert self.held >= 0, "more returned than was held"
        assert self.sold >= 0, "more returned than was sold"

    @property
    def on_hand(self) -> int:
        """All units, wherever they lie."""
        return self.free + self.held + self.sold

    def stocked(self, change: int) -> "Counters | None":
        """After the seller added or took away free units; None when that many are not free."""
        if self.free + change < 0:
            return None
        return Counters(self.free + change, self.held, self.sold)


@dataclass(frozen=True, slots=True)
class Sku:
    """What the ledger must know of a SKU and its product.

    `limit_per_buyer`: units of the whole product, None: no limit. `version`: the product's.
    """

    id: str
    product: str
    store: str
    title: str
    options: tuple[str, ...]
    price_minor: int
    currency: str
    limit_per_buyer: int | None
    version: int
    counters: Counters


class HoldRequest(msgspec.Struct, frozen=True, gc=False):
    """Somebody wants units: one line for each SKU, and what the holds will be called if granted."""

    ids: tuple[str, ...]
    buyer: str
    key: str
    lines: tuple[HoldLine, ...]
    show: str | None


class Granted(msgspec.Struct, frozen=True, gc=False):
    """The units are held; a hold for each line, in the lines' order."""

    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """This was asked before: the holds of then, as they are now."""

    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class SoldOut:
    """Not that many are free; held ones may come back."""

    sku: str
    free: int
    held: int


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The buyer has, or would have, more than the product's limit."""

    product: str
    limit: int


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The buyer was told another price than this one."""

    sku: str
    price_minor: int


@dataclass(frozen=True, slots=True)
class OutOfBounds:
    """The quantity is not one a hold may have."""

    limit: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key belongs to a different request of the same person."""


@dataclass(frozen=True, slots=True)
class NoSuchSku:
    """Nothing of that name is for sale."""

    sku: str


@dataclass(frozen=True, slots=True)
class NotItsSku:
    """The product has no SKU of that id."""

    sku: str


Refusal = (
    SoldOut
    | LimitReached
    | PriceChanged
    | DealShort
    | NotForSale
    | OutOfBounds
    | KeyReused
    | NoSuchSku
)
Decision = Granted | Repeated | Refusal


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true when a batch is decided.

    `skus`: by id, all those of the products asked for, whose rows are locked. `units`: what a
    buyer already has of a product, by (product, buyer), sold ones included. `kept`: earlier holds
    by (buyer, key). `deals`: those that have a say, by product; `dealt`: what a buyer already has
    at a deal's price, by (deal, buyer).
    """

    skus: Mapping[str, Sku]
    units: Mapping[tuple[str, str], int]
    kept: Mapping[tuple[str, str], tuple[Hold, ...]]
    now_ms: int
    hold_ms: int
    deals: Mapping[str, Deal] = field(default_factory=dict)
    dealt: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision for each request in its place."""

    decisions: Sequence[Decision]

    @property
    def holds(self) -> list[Hold]:
        """All holds that were granted, in the requests' order."""
        return [
            hold
            for decision in self.decisions
            if isinstance(decision, Granted)
            for hold in decision.holds
        ]


def sum_lines(lines: Sequence[HoldLine]) -> tuple[HoldLine, ...] | None:
    """One line for each SKU, in the order they first appear; None when one has two prices."""
    summed: dict[str, HoldLine] = {}
    for line in lines:
        earlier = summed.get(line.sku)
        if earlier is None:
            summed[line.sku] = line
        elif earlier.price_minor == line.price_minor:
            quantity = earlier.quantity + line.quantity
            summed[line.sku] = HoldLine(
                sku=line.sku, quantity=quantity, price_minor=line.price_minor
            )
        else:
            return None
    return tuple(summed.values())


class _Tally:
    """What is left while a batch is decided."""

    def __init__(self, facts: Facts) -> None:
        self.free = {one: sku.counters.free for one, sku in facts.skus.items()}
        self.units = dict(facts.units)
        self.kept = dict(facts.kept)
        self.deals = dict(facts.deals)
        self.dealt = dict(facts.dealt)

    def take(self, request: HoldRequest, holds: tuple[Hold, ...]) -> None:
        for hold in holds:
            owner = (hold.product, request.buyer)
            self.free[hold.sku] -= hold.quantity
            self.units[owner] = self.units.get(owner, 0) + hold.quantity
            if hold.deal is not None:
                self.deals[hold.product] = took(self.deals[hold.product], hold.quantity)
                taker = (hold.deal, request.buyer)
                self.dealt[taker] = self.dealt.get(taker, 0) + hold.quantity
        self.kept[request.buyer, request.key] = holds


class Deciding:
    """A batch that is being decided, one request after the other."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._tally = _Tally(facts)

    def decide(self, request: HoldRequest) -> Decision:
        """Decide the next request; what is granted the later ones cannot have."""
        decision = _decide_one(request, self._facts, self._tally)
        if isinstance(decision, Granted):
            self._tally.take(request, decision.holds)
        return decision


def decide(requests: Sequence[HoldRequest], facts: Facts) -> Outcome:
    """Decide a batch of requests in arrival order."""
    deciding = Deciding(facts)
    return Outcome([deciding.decide(request) for request in requests])


def _decide_one(request: HoldRequest, facts: Facts, tally: _Tally) -> Decision:
    earlier = tally.kept.get((request.buyer, request.key))
    if earlier is not None:
        return _repeated(request, earlier)
    wanted: dict[str, int] = {}
    reduced: dict[str, int] = {}
    holds: list[Hold] = []
    for hold, line in zip(request.ids, request.lines, strict=True):
        if not 1 <= line.quantity <= QUANTITY_LIMIT_UNITS:
            return OutOfBounds(QUANTITY_LIMIT_UNITS)
        sku = facts.skus.get(line.sku)
        if sku is None:
            return NoSuchSku(line.sku)
        offer = _offer(line, sku, request, facts, tally, reduced.get(sku.product, 0))
        if not isinstance(offer, Offer):
            return offer
        if offer.deal is not None:
            reduced[sku.product] = reduced.get(sku.product, 0) + line.quantity
        wanted[sku.product] = wanted.get(sku.product, 0) + line.quantity
        limit = sku.limit_per_buyer
        has = tally.units.get((sku.product, request.buyer), 0)
        if limit is not None and has + wanted[sku.product] > limit:
            return LimitReached(sku.product, limit)
        left = tally.free[sku.id]
        if line.quantity > left:
            return SoldOut(sku.id, left, sku.counters.free + sku.counters.held - left)
        holds.append(_hold(hold, line, sku, offer, request.show, facts))
    assert len({line.sku for line in request.lines}) == len(request.lines), "lines not summed"
    return Granted(tuple(holds))


def _offer(
    line: HoldLine, sku: Sku, request: HoldRequest, facts: Facts, tally: _Tally, reduced: int
) -> Offer | Refusal:
    """What the line's units cost; `reduced`: units of the request that the deal gives already."""
    deal = tally.deals.get(sku.product)
    judged: Judgement = Offer(sku.price_minor)
    if deal is not None:
        has = tally.dealt.get((deal.id, request.buyer), 0) + reduced
        ask = Ask(sku.id, sku.price_minor, line.quantity, request.show, has)
        judged = judge(took(deal, reduced), ask, facts.now_ms)
    if isinstance(judged, DealLimit):
        return LimitReached(sku.product, judged.limit)
    if isinstance(judged, Offer) and line.price_minor not in (None, judged.price_minor):
        return PriceChanged(sku.id, judged.price_minor)
    return judged


def _repeated(request: HoldRequest, earlier: tuple[Hold, ...]) -> Repeated | KeyReused:
    """The holds of then, if this is what was asked then."""
    by_sku = {hold.sku: hold for hold in earlier}
    if by_sku.keys() != {line.sku for line in request.lines}:
        return KeyReused()
    holds = tuple(by_sku[line.sku] for line in request.lines)
    for line, hold in zip(request.lines, holds, strict=True):
        if (line.quantity, request.show) != (hold.quantity, hold.show):
            return KeyReused()
        if line.price_minor not in (None, hold.price_minor):
            return KeyReused()
    return Repeated(holds)


def _hold(
    name: str, line: HoldLine, sku: Sku, offer: Offer, show: str | None, facts: Facts
) -> Hold:
    return Hold(
        id=name,
        sku=sku.id,
        product=sku.product,
        title=sku.title,
        options=sku.options,
        quantity=line.quantity,
        price_minor=offer.price_minor,
        currency=sku.currency,
        deal=offer.deal,
        show=show,
        order=None,
        state=HoldState.HELD,
        expires_at_ms=facts.now_ms + facts.hold_ms,
        now_ms=facts.now_ms,
    )
