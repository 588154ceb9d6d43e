"""The ledger's arithmetic: nothing from nothing, whatever is asked in whatever order."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cart.core.hold import HoldEvent, HoldState, after
from cart.core.movement import Units, turn
from cart.core.stock import (
    QUANTITY_LIMIT_UNITS,
    Counters,
    Facts,
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    OutOfBounds,
    Pile,
    Repeated,
    Sku,
    SoldOut,
    decide,
)

PRODUCTS = ("camellia", "rose", "peony")


def sku(product: str, free: int, limit: int | None = None) -> Sku:
    """A SKU with free units only."""
    return Sku(product, "store", product.title(), 1_000, "KRW", limit, 1, Counters(free, 0, 0))


def facts(*skus: Sku) -> Facts:
    """Facts without earlier holds."""
    return Facts({one.product: one for one in skus}, {}, {}, 1_000, 300_000)


def request(number: int, **said: object) -> HoldRequest:
    """A request of its own buyer for one camellia, unless said otherwise."""
    usual = {
        "id": f"h{number}",
        "buyer": f"b{number}",
        "key": "k",
        "product": "camellia",
        "quantity": 1,
        "show": None,
    }
    return HoldRequest(**(usual | said))  # type: ignore[arg-type]


requests = st.builds(
    HoldRequest,
    id=st.uuids().map(str),
    buyer=st.sampled_from(["ann", "bo", "cho"]),
    key=st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
    product=st.sampled_from([*PRODUCTS, "unknown"]),
    quantity=st.integers(-1, 6) | st.just(QUANTITY_LIMIT_UNITS + 1),
    show=st.sampled_from([None, "show"]),
)
limits = st.none() | st.integers(1, 4)
skus = st.tuples(*(st.builds(sku, st.just(p), st.integers(0, 9), limits) for p in PRODUCTS))


@given(st.lists(requests, max_size=40), skus)
def test_batch_never_oversells(asked: list[HoldRequest], on_sale: tuple[Sku, ...]) -> None:
    known = facts(*on_sale)
    outcome = decide(asked, known)
    assert len(outcome.decisions) == len(asked)
    granted: Counter[str] = Counter()
    per_buyer: Counter[tuple[str, str]] = Counter()
    for one, decision in zip(asked, outcome.decisions, strict=True):
        if isinstance(decision, Granted):
            assert decision.hold.id == one.id
            granted[one.product] += one.quantity
            per_buyer[one.product, one.buyer] += one.quantity
    for before in on_sale:
        now = outcome.changed.get(before.product, before)
        assert now.counters.on_hand == before.counters.on_hand
        assert now.counters.held == granted[before.product] <= before.counters.free
        if before.limit_per_buyer is not None:
            most = max((per_buyer[before.product, b] for b in ("ann", "bo", "cho")), default=0)
            assert most <= before.limit_per_buyer


@given(st.lists(requests, max_size=40), skus)
def test_repeating_a_batch_changes_nothing(
    asked: list[HoldRequest], on_sale: tuple[Sku, ...]
) -> None:
    known = facts(*on_sale)
    first = decide(asked, known)
    pairs = list(zip(asked, first.decisions, strict=True))
    kept = {(a.buyer, a.key): d.hold for a, d in pairs if isinstance(d, Granted)}
    granted = [a for a, d in pairs if isinstance(d, Granted)]
    later = Facts({**known.skus, **first.changed}, {}, kept, 2_000, 300_000)
    again = decide(granted, later)
    assert all(isinstance(decision, Repeated) for decision in again.decisions)
    assert not again.changed


@given(st.lists(requests, max_size=30), skus, st.integers(0, 30))
def test_one_batch_decides_like_two(
    asked: list[HoldRequest], on_sale: tuple[Sku, ...], cut: int
) -> None:
    """Arrival order is all that matters, not how arrivals were cut into batches."""
    known = facts(*on_sale)
    whole = decide(asked, known)
    head = decide(asked[:cut], known)
    kept, units = {}, Counter[tuple[str, str]]()
    for one, decision in zip(asked, head.decisions, strict=False):
        if isinstance(decision, Granted):
            kept[one.buyer, one.key] = decision.hold
            units[one.product, one.buyer] += one.quantity
    tail = decide(asked[cut:], Facts({**known.skus, **head.changed}, units, kept, 1_000, 300_000))
    assert [*head.decisions, *tail.decisions] == list(whole.decisions)


def test_first_come_first_served() -> None:
    outcome = decide([request(1), request(2), request(3)], facts(sku("camellia", 2)))
    assert [type(d) for d in outcome.decisions] == [Granted, Granted, SoldOut]
    assert outcome.decisions[2] == SoldOut(free=0, held=2)


def test_large_request_that_does_not_fit_leaves_the_unit_to_a_small_one() -> None:
    outcome = decide([request(1, quantity=2), request(2)], facts(sku("camellia", 1)))
    assert outcome.decisions[0] == SoldOut(free=1, held=0)
    assert isinstance(outcome.decisions[1], Granted)


def test_limit_counts_sold_and_held_units_of_before() -> None:
    known = Facts({"camellia": sku("camellia", 9, 3)}, {("camellia", "b1"): 2}, {}, 0, 1)
    outcome = decide([request(1, quantity=2), request(1, quantity=1)], known)
    assert outcome.decisions[0] == LimitReached(3)
    assert isinstance(outcome.decisions[1], Granted)


def test_refused_keys_may_be_used_again() -> None:
    asked = [request(1, quantity=9), request(1, quantity=1), request(1, quantity=2)]
    decisions = decide(asked, facts(sku("camellia", 3))).decisions
    assert [type(d) for d in decisions] == [SoldOut, Granted, KeyReused]


@pytest.mark.parametrize("quantity", [-1, 0, QUANTITY_LIMIT_UNITS + 1])
def test_quantity_bounds(quantity: int) -> None:
    (decision,) = decide([request(1, quantity=quantity)], facts(sku("camellia", 999))).decisions
    assert decision == OutOfBounds(QUANTITY_LIMIT_UNITS)


def test_counters_refuse_to_owe() -> None:
    with pytest.raises(AssertionError):
        Counters(1, 0, 0).moved(Pile.FREE, Pile.HELD, 2)
    assert Counters(1, 2, 3).stocked(-2) is None
    assert Counters(1, 2, 3).stocked(4) == Counters(5, 2, 3)


class Ledger(RuleBasedStateMachine):
    """Holds come, are ordered, paid, let go, released and expire, in any order, for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.sku = sku("camellia", 7, limit=4)
        self.states: dict[str, HoldState] = {}
        self.quantities: dict[str, int] = {}

    @rule(asked=st.lists(requests, min_size=1, max_size=5))
    def hold(self, asked: list[HoldRequest]) -> None:
        """A batch arrives."""
        outcome = decide(asked, facts(self.sku))
        for one, decision in zip(asked, outcome.decisions, strict=True):
            if isinstance(decision, Granted):
                self.states[one.id] = decision.hold.state
                self.quantities[one.id] = one.quantity
        self.sku = outcome.changed.get("camellia", self.sku)

    @precondition(lambda self: self.states)
    @rule(event=st.sampled_from(HoldEvent), data=st.data())
    def happen(self, event: HoldEvent, data: st.DataObject) -> None:
        """Something happens to some holds at once; it does to all of them or to none."""
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.states)), max_size=4))
        units = [
            Units(one, "camellia", self.quantities[one], self.states[one]) for one in sorted(chosen)
        ]
        turned = turn(units, event, {"camellia": self.sku})
        possible = all(after(one.state, event) for one in units)
        assert (turned is not None) == possible
        if turned is not None:
            self.states |= turned.states
            self.sku = turned.changed.get("camellia", self.sku)

    @rule(change=st.integers(-5, 5))
    def stock(self, change: int) -> None:
        """The seller adds or takes away units."""
        counters = self.sku.counters.stocked(change)
        if counters is not None:
            self.sku = Sku("camellia", "store", "Camellia", 1_000, "KRW", 4, 1, counters)

    @invariant()
    def balanced(self) -> None:
        """The piles are what the holds say."""
        held = {HoldState.HELD, HoldState.ORDERED, HoldState.PAYING}
        counters = self.sku.counters
        assert counters.held == self._units(held)
        assert counters.sold == self._units({HoldState.SOLD})
        assert counters.free >= 0

    def _units(self, states: set[HoldState]) -> int:
        return sum(self.quantities[one] for one, state in self.states.items() if state in states)


TestLedger = Ledger.TestCase
