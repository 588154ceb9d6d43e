"""The ledger's arithmetic: nothing from nothing, whatever is asked in whatever order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cart.core import movement
from cart.core.deal import Deal, DealKind, DealState, at
from cart.core.hold import QUANTITY_LIMIT_UNITS, HoldEvent, HoldLine, HoldState, after
from cart.core.movement import Movement, Reason, Units, moved, taken, turn
from cart.core.restock import restock
from cart.core.stock import (
    Counters,
    Facts,
    Granted,
    HoldRequest,
    KeyReused,
    LimitReached,
    OutOfBounds,
    PriceChanged,
    Repeated,
    Sku,
    SoldOut,
    decide,
    sum_lines,
)

PRODUCTS = ("camellia", "rose", "peony")
IDS = ("camellia", "red rose", "white rose", "peony")


def sku(name: str, free: int, limit: int | None = None) -> Sku:
    """A SKU with free units only; the product is its name's last word."""
    *options, product = name.split()
    counters = Counters(free, 0, 0)
    return Sku(name, product, "store", product, tuple(options), 1_000, "KRW", limit, 1, counters)


def facts(*skus: Sku) -> Facts:
    """Facts without earlier holds."""
    return Facts({one.id: one for one in skus}, {}, {}, 1_000, 300_000)


def request(number: int, *lines: HoldLine, **said: object) -> HoldRequest:
    """A request of its own buyer, for one camellia unless said otherwise."""
    asked = lines or (HoldLine(sku="camellia", quantity=said.pop("quantity", 1)),)  # type: ignore[arg-type]
    ids = tuple(f"h{number}.{place}" for place in range(len(asked)))
    usual = {"ids": ids, "buyer": f"b{number}", "key": "k", "lines": asked, "show": None}
    return HoldRequest(**(usual | said))  # type: ignore[arg-type]


hold_lines = st.builds(
    HoldLine,
    sku=st.sampled_from([*IDS, "unknown"]),
    quantity=st.integers(-1, 6) | st.just(QUANTITY_LIMIT_UNITS + 1),
    price_minor=st.sampled_from([None, None, 1_000, 999]),
)
requests = st.builds(
    lambda name, buyer, key, lines, show: HoldRequest(
        tuple(f"{name} {place}" for place in range(len(lines))), buyer, key, tuple(lines), show
    ),
    st.uuids(),
    st.sampled_from(["ann", "bo", "cho"]),
    st.sampled_from(["k1", "k2", "k3", "k4", "k5"]),
    st.lists(hold_lines, min_size=1, max_size=3, unique_by=lambda line: line.sku),
    st.sampled_from([None, "show"]),
)
limits = st.none() | st.integers(1, 4)


@st.composite
def on_sale(draw: st.DrawFn) -> tuple[Sku, ...]:
    """A SKU of each name; those of one product have its limit."""
    limit = {product: draw(limits) for product in PRODUCTS}
    return tuple(sku(one, draw(st.integers(0, 9)), limit[one.split()[-1]]) for one in IDS)


skus = on_sale()


@given(st.lists(requests, max_size=40), skus)
def test_batch_never_oversells(asked: list[HoldRequest], on_sale: tuple[Sku, ...]) -> None:
    outcome = decide(asked, facts(*on_sale))
    assert len(outcome.decisions) == len(asked)
    granted: Counter[str] = Counter()
    per_buyer: Counter[tuple[str, str]] = Counter()
    for one, decision in zip(asked, outcome.decisions, strict=True):
        if isinstance(decision, Granted):
            assert tuple(hold.id for hold in decision.holds) == one.ids, "whole or not at all"
            for hold in decision.holds:
                granted[hold.sku] += hold.quantity
                per_buyer[hold.product, one.buyer] += hold.quantity
    known = facts(*on_sale).skus
    after = {**known, **moved(known, taken(outcome.holds))}
    for before in on_sale:
        now = after[before.id]
        assert now.counters.on_hand == before.counters.on_hand
        assert now.counters.held == granted[before.id] <= before.counters.free
        if before.limit_per_buyer is not None:
            most = max((per_buyer[before.product, b] for b in ("ann", "bo", "cho")), default=0)
            assert most <= before.limit_per_buyer


@st.composite
def dealt(draw: st.DrawFn) -> Deal:
    """A drop of some product that runs, has run or will run in the show."""
    starts_at_ms = draw(st.sampled_from([500, 1_000, 1_001]))
    return Deal(
        id="deal",
        store="store",
        show="show",
        product=draw(st.sampled_from(PRODUCTS)),
        kind=DealKind.FLASH,
        state=draw(st.sampled_from(DealState)),
        price_minor=None,
        percent_off=50,
        skus=draw(st.sampled_from([(), ("red rose",)])),
        units=draw(st.integers(1, 9)),
        taken=0,
        limit_per_buyer=draw(limits),
        shuts=draw(st.booleans()),
        length_ms=60_000,
        starts_at_ms=starts_at_ms,
        ends_at_ms=draw(st.sampled_from([starts_at_ms + 1, 60_000])),
        version=1,
    )


@given(st.lists(requests, max_size=40), skus, dealt())
def test_a_deals_price_is_had_in_its_time_and_show_within_both_limits(
    asked: list[HoldRequest], on_sale: tuple[Sku, ...], deal: Deal
) -> None:
    outcome = decide(asked, replace(facts(*on_sale), deals={deal.product: deal}))
    per_buyer: Counter[str] = Counter()
    for one, decision in zip(asked, outcome.decisions, strict=True):
        for hold in decision.holds if isinstance(decision, Granted) else ():
            assert hold.price_minor == (1_000 if hold.deal is None else 500)
            if hold.deal is not None:
                per_buyer[one.buyer] += hold.quantity
                assert (hold.product, hold.show) == (deal.product, deal.show)
                assert at(deal, 1_000).state is DealState.RUNNING
                assert hold.sku in (deal.skus or IDS)
    total = movement.dealt(outcome.holds).get("deal", 0)
    assert total == per_buyer.total() <= (deal.units or 0)
    if deal.limit_per_buyer is not None:
        assert max(per_buyer.values(), default=0) <= deal.limit_per_buyer


@given(st.lists(requests, max_size=40), skus)
def test_repeating_a_batch_changes_nothing(
    asked: list[HoldRequest], on_sale: tuple[Sku, ...]
) -> None:
    known = facts(*on_sale)
    first = decide(asked, known)
    pairs = list(zip(asked, first.decisions, strict=True))
    kept = {(a.buyer, a.key): d.holds for a, d in pairs if isinstance(d, Granted)}
    granted = [a for a, d in pairs if isinstance(d, Granted)]
    after = {**known.skus, **moved(known.skus, taken(first.holds))}
    later = Facts(after, {}, kept, 2_000, 300_000)
    again = decide(granted, later)
    assert all(isinstance(decision, Repeated) for decision in again.decisions)
    assert not again.holds


@given(st.lists(requests, max_size=30), skus, st.integers(0, 30))
def test_one_batch_decides_like_two(
    asked: list[HoldRequest], on_sale: tuple[Sku, ...], cut: int
) -> None:
    """Arrival order is all that matters, not how arrivals were cut into batches."""
    known = facts(*on_sale)
    whole = decide(asked, known)
    head = decide(asked[:cut], known)
    kept, had = {}, Counter[tuple[str, str]]()
    for one, decision in zip(asked, head.decisions, strict=False):
        if isinstance(decision, Granted):
            kept[one.buyer, one.key] = decision.holds
            for hold in decision.holds:
                had[hold.product, one.buyer] += hold.quantity
    after = {**known.skus, **moved(known.skus, taken(head.holds))}
    tail = decide(asked[cut:], Facts(after, had, kept, 1_000, 300_000))
    assert [*head.decisions, *tail.decisions] == list(whole.decisions)


lines_of_few = st.builds(
    HoldLine,
    sku=st.sampled_from(["red rose", "white rose"]),
    quantity=st.integers(1, 5),
    price_minor=st.sampled_from([None, 1_000]),
)


@given(st.lists(lines_of_few, min_size=1, max_size=6))
def test_lines_of_one_sku_are_summed(lines: list[HoldLine]) -> None:
    summed = sum_lines(lines)
    if summed is None:
        assert len({(line.sku, line.price_minor) for line in lines}) > len(
            {line.sku for line in lines}
        )
        return
    assert [line.sku for line in summed] == list(dict.fromkeys(line.sku for line in lines))
    for line in summed:
        assert line.quantity == sum(one.quantity for one in lines if one.sku == line.sku)


def test_all_lines_or_none() -> None:
    two = (HoldLine(sku="red rose", quantity=2), HoldLine(sku="camellia"))
    outcome = decide(
        [request(1, *two), request(2, HoldLine(sku="red rose", quantity=3))],
        facts(sku("red rose", 3), sku("camellia", 0)),
    )
    assert outcome.decisions[0] == SoldOut("camellia", free=0, held=0)
    assert isinstance(outcome.decisions[1], Granted), "what was refused took nothing"


def test_limit_is_of_the_product_across_its_skus() -> None:
    known = facts(sku("red rose", 9, 3), sku("white rose", 9, 3))
    both = (HoldLine(sku="red rose", quantity=2), HoldLine(sku="white rose", quantity=2))
    one = (HoldLine(sku="red rose", quantity=2), HoldLine(sku="white rose"))
    outcome = decide(
        [request(1, *both), request(1, *one), request(1, HoldLine(sku="white rose"), key="k2")],
        known,
    )
    assert outcome.decisions[0] == LimitReached("rose", 3)
    assert isinstance(outcome.decisions[1], Granted)
    assert outcome.decisions[2] == LimitReached("rose", 3)


def test_another_price_than_the_buyer_was_told_is_refused() -> None:
    known = facts(sku("camellia", 9))
    told = HoldLine(sku="camellia", price_minor=900)
    true = HoldLine(sku="camellia", price_minor=1_000)
    outcome = decide([request(1, told), request(1, true), request(1, told)], known)
    assert outcome.decisions[0] == PriceChanged("camellia", 1_000)
    assert isinstance(outcome.decisions[1], Granted)
    assert outcome.decisions[2] == KeyReused()


def test_same_key_with_fewer_or_more_lines_is_another_request() -> None:
    red, white = HoldLine(sku="red rose"), HoldLine(sku="white rose")
    known = facts(sku("red rose", 9), sku("white rose", 9))
    asked = [request(1, red, white), request(1, red), request(1, white, red)]
    first, fewer, turned = decide(asked, known).decisions
    assert isinstance(first, Granted)
    assert fewer == KeyReused()
    assert turned == Repeated(first.holds[::-1]), "in the order of this request's lines"


def test_first_come_first_served() -> None:
    outcome = decide([request(1), request(2), request(3)], facts(sku("camellia", 2)))
    assert [type(d) for d in outcome.decisions] == [Granted, Granted, SoldOut]
    assert outcome.decisions[2] == SoldOut("camellia", free=0, held=2)


def test_large_request_that_does_not_fit_leaves_the_unit_to_a_small_one() -> None:
    outcome = decide([request(1, quantity=2), request(2)], facts(sku("camellia", 1)))
    assert outcome.decisions[0] == SoldOut("camellia", free=1, held=0)
    assert isinstance(outcome.decisions[1], Granted)


def test_limit_counts_sold_and_held_units_of_before() -> None:
    known = Facts({"camellia": sku("camellia", 9, 3)}, {("camellia", "b1"): 2}, {}, 0, 1)
    outcome = decide([request(1, quantity=2), request(1, quantity=1)], known)
    assert outcome.decisions[0] == LimitReached("camellia", 3)
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
        moved({"camellia": sku("camellia", 1)}, [Movement("camellia", Reason.HOLD, "h", -2, 2)])
    assert Counters(1, 2, 3).stocked(-2) is None
    assert Counters(1, 2, 3).stocked(4) == Counters(5, 2, 3)


class Ledger(RuleBasedStateMachine):
    """Holds come, are ordered, paid, let go, released and expire, in any order, for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.sku = sku("camellia", 7, limit=4)
        self.log: list[Movement] = []
        self.states: dict[str, HoldState] = {}
        self.quantities: dict[str, int] = {}

    @rule(asked=st.lists(requests, min_size=1, max_size=5))
    def hold(self, asked: list[HoldRequest]) -> None:
        """A batch arrives."""
        outcome = decide(asked, facts(self.sku))
        for decision in outcome.decisions:
            if isinstance(decision, Granted):
                for hold in decision.holds:
                    self.states[hold.id] = hold.state
                    self.quantities[hold.id] = hold.quantity
        self.move(taken(outcome.holds))

    @precondition(lambda self: self.states)
    @rule(event=st.sampled_from(HoldEvent), data=st.data())
    def happen(self, event: HoldEvent, data: st.DataObject) -> None:
        """Something happens to some holds at once; it does to all of them or to none."""
        chosen = data.draw(st.sets(st.sampled_from(sorted(self.states)), max_size=4))
        units = [
            Units(one, "camellia", "camellia", self.quantities[one], self.states[one])
            for one in sorted(chosen)
        ]
        turned = turn(units, event)
        possible = all(after(one.state, event) for one in units)
        assert (turned is not None) == possible
        if turned is not None:
            self.states |= turned.states
            self.move(turned.movements)

    @rule(change=st.integers(-5, 5))
    def stock(self, change: int) -> None:
        """The seller adds or takes away units."""
        wanted, on_sale = {"camellia": change}, {"camellia": self.sku}
        decided = restock(wanted, on_sale, {}, reason=Reason.CORRECTION, key="k")
        if isinstance(decided, list):
            self.move(decided)

    def move(self, movements: Sequence[Movement]) -> None:
        """Keep the log, and the counters by its means."""
        self.log += movements
        self.sku = moved({"camellia": self.sku}, movements).get("camellia", self.sku)

    @invariant()
    def recounted(self) -> None:
        """The log adds up to the counters."""
        counters = self.sku.counters
        assert counters.free == 7 + sum(one.free for one in self.log)
        assert counters.held == sum(one.held for one in self.log)
        assert counters.sold == sum(one.sold for one in self.log)

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
