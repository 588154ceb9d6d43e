"""The ledger's arithmetic: who gets which units, decided for a whole batch in arrival order.

Always true of every SKU: `on_hand = free + held + sold` and none of them is below zero. A hold
moves units from free to held; nothing here ever makes or loses one. The same buyer with the same
key gets the same hold again, in this batch or from an earlier one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cart.core.hold import Hold, HoldState

QUANTITY_LIMIT_UNITS: Final = 99
"""Most units in one hold; more are refused."""

ON_HAND_LIMIT_UNITS: Final = 1_000_000_000
"""Most units of one product; more are refused. Fits PostgreSQL's integer."""


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

    def moved(self, source: Pile, target: Pile, units: int) -> "Counters":
        """After `units` went from one pile to another."""
        if source == target:
            return self
        piles = {Pile.FREE: self.free, Pile.HELD: self.held, Pile.SOLD: self.sold}
        piles[source] -= units
        piles[target] += units
        return Counters(piles[Pile.FREE], piles[Pile.HELD], piles[Pile.SOLD])

    def stocked(self, change: int) -> "Counters | None":
        """After the seller added or took away free units; None when that many are not free."""
        if self.free + change < 0:
            return None
        return Counters(self.free + change, self.held, self.sold)


@dataclass(frozen=True, slots=True)
class Sku:
    """What the ledger must know of a product; `limit_per_buyer` in units, None: no limit."""

    product: str
    store: str
    title: str
    price_minor: int
    currency: str
    limit_per_buyer: int | None
    version: int
    counters: Counters

    def moved(self, source: Pile, target: Pile, units: int) -> "Sku":
        """After `units` went from one pile to another; the version is the writer's to raise."""
        return replace(self, counters=self.counters.moved(source, target, units))


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Somebody wants units; `id` is what the hold will be called if it is granted."""

    id: str
    buyer: str
    key: str
    product: str
    quantity: int
    show: str | None


@dataclass(frozen=True, slots=True)
class Granted:
    """The units are held."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class Repeated:
    """This was asked before: the hold of then, as it is now."""

    hold: Hold


@dataclass(frozen=True, slots=True)
class SoldOut:
    """Not that many are free; held ones may come back."""

    free: int
    held: int


@dataclass(frozen=True, slots=True)
class LimitReached:
    """The buyer has, or would have, more than the product's limit."""

    limit: int


@dataclass(frozen=True, slots=True)
class OutOfBounds:
    """The quantity is not one a hold may have."""

    limit: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key belongs to a different request of the same buyer."""


@dataclass(frozen=True, slots=True)
class NoSuchProduct:
    """Nothing of that name is for sale."""


Refusal = SoldOut | LimitReached | OutOfBounds | KeyReused | NoSuchProduct
Decision = Granted | Repeated | Refusal


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true when a batch is decided.

    `skus`: by product, their rows locked. `units`: what a buyer already has of a product, by
    (product, buyer), sold ones included. `kept`: earlier holds by (buyer, key).
    """

    skus: Mapping[str, Sku]
    units: Mapping[tuple[str, str], int]
    kept: Mapping[tuple[str, str], Hold]
    now_ms: int
    hold_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision for each request in its place, and the SKUs that changed (version not raised)."""

    decisions: Sequence[Decision]
    changed: Mapping[str, Sku]


def decide(requests: Sequence[HoldRequest], facts: Facts) -> Outcome:
    """Decide a batch of requests in arrival order."""
    free = {product: sku.counters.free for product, sku in facts.skus.items()}
    units = dict(facts.units)
    kept = dict(facts.kept)
    decisions: list[Decision] = []
    for request in requests:
        decision = _decide_one(request, facts, free, units, kept)
        if isinstance(decision, Granted):
            owner = (request.product, request.buyer)
            free[request.product] -= request.quantity
            units[owner] = units.get(owner, 0) + request.quantity
            kept[request.buyer, request.key] = decision.hold
        decisions.append(decision)
    changed = {
        product: sku.moved(Pile.FREE, Pile.HELD, sku.counters.free - free[product])
        for product, sku in facts.skus.items()
        if free[product] != sku.counters.free
    }
    return Outcome(decisions, changed)


def _decide_one(
    request: HoldRequest,
    facts: Facts,
    free: Mapping[str, int],
    units: Mapping[tuple[str, str], int],
    kept: Mapping[tuple[str, str], Hold],
) -> Decision:
    earlier = kept.get((request.buyer, request.key))
    if earlier is not None:
        return Repeated(earlier) if _same(request, earlier) else KeyReused()
    if not 1 <= request.quantity <= QUANTITY_LIMIT_UNITS:
        return OutOfBounds(QUANTITY_LIMIT_UNITS)
    sku = facts.skus.get(request.product)
    if sku is None:
        return NoSuchProduct()
    limit = sku.limit_per_buyer
    has = units.get((request.product, request.buyer), 0)
    if limit is not None and has + request.quantity > limit:
        return LimitReached(limit)
    left = free[request.product]
    if request.quantity > left:
        return SoldOut(left, sku.counters.on_hand - sku.counters.sold - left)
    return Granted(_hold(request, sku, facts))


def _same(request: HoldRequest, hold: Hold) -> bool:
    return (request.product, request.quantity, request.show) == (
        hold.product,
        hold.quantity,
        hold.show,
    )


def _hold(request: HoldRequest, sku: Sku, facts: Facts) -> Hold:
    return Hold(
        id=request.id,
        product=request.product,
        title=sku.title,
        quantity=request.quantity,
        price_minor=sku.price_minor,
        currency=sku.currency,
        show=request.show,
        order=None,
        state=HoldState.HELD,
        expires_at_ms=facts.now_ms + facts.hold_ms,
        now_ms=facts.now_ms,
    )
