"""An auction's arithmetic, against a reckoning from all bids at once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cart.core.auction import (
    EXTEND_UNDER_MS,
    INCREMENTS,
    Accepted,
    AlreadyLeading,
    AuctionState,
    Bidding,
    Lead,
    Offer,
    Outbid,
    OwnLot,
    Terms,
    TooLate,
    TooLow,
    bid,
    call_off,
    cancel,
    end,
    increment,
    minimum,
    pass_on,
)
from cart.core.money import PRICE_LIMIT_MINOR

TERMS = Terms("seller", 10_000, "standard", counter_bid_ms=10_000, sudden_death=False)
OPEN = Bidding(TERMS, AuctionState.OPEN, 10_000, None, 0, 0, 60_000)
BUYERS = ("ann", "bo", "cho", "dan")


def says(buyer: str, amount_minor: int, *, is_max: bool = False) -> Offer:
    """A buyer's bid."""
    return Offer(buyer, buyer.title(), amount_minor, is_max)


def taken(bidding: Bidding, *offers: Offer, now_ms: int = 0) -> Bidding:
    """After these bids, each of which must be taken."""
    for offer in offers:
        decision = bid(bidding, offer, now_ms)
        assert isinstance(decision, Accepted | Outbid), decision
        bidding = decision.bidding
    return bidding


def test_first_bid_may_be_the_start_price_and_the_next_is_an_increment_higher() -> None:
    assert minimum(OPEN) == 10_000
    assert bid(OPEN, says("ann", 9_999), 0) == TooLow(10_000)
    first = taken(OPEN, says("ann", 10_000))
    assert (first.price_minor, minimum(first)) == (10_000, 11_000)
    assert bid(first, says("bo", 10_999), 0) == TooLow(11_000)
    custom = taken(first, says("bo", 29_500))
    assert (custom.price_minor, minimum(custom)) == (29_500, 30_500)
    assert minimum(taken(custom, says("ann", 30_500))) == 32_500


def test_a_max_bid_pays_only_what_others_make_it_pay() -> None:
    alone = taken(OPEN, says("ann", 50_000, is_max=True))
    assert alone.price_minor == 10_000
    pushed = bid(alone, says("bo", 20_000), 0)
    assert isinstance(pushed, Outbid)
    assert (pushed.bidding.price_minor, pushed.bidding.lead) == (21_000, alone.lead)
    beaten = bid(pushed.bidding, says("cho", 80_000, is_max=True), 0)
    assert isinstance(beaten, Accepted)
    assert (beaten.bidding.price_minor, beaten.displaced) == (53_000, "ann")
    capped = taken(alone, says("bo", 50_500, is_max=True))
    assert capped.price_minor == 50_500


def test_of_equal_max_bids_the_earlier_wins_at_that_price() -> None:
    decision = bid(
        taken(OPEN, says("ann", 30_000, is_max=True)), says("bo", 30_000, is_max=True), 0
    )
    assert isinstance(decision, Outbid)
    assert decision.bidding.lead is not None
    assert (decision.bidding.lead.buyer, decision.bidding.price_minor) == ("ann", 30_000)


def test_nobody_bids_against_themselves_but_a_max_may_be_raised_unseen() -> None:
    leading = taken(OPEN, says("ann", 20_000, is_max=True))
    assert bid(leading, says("ann", 40_000), 0) == AlreadyLeading()
    assert bid(leading, says("ann", 20_000, is_max=True), 0) == TooLow(20_001)
    raised = taken(leading, says("ann", 40_000, is_max=True), now_ms=59_999)
    assert replace(raised, lead=leading.lead, sequence=1) == leading
    assert taken(raised, says("bo", 30_000)).price_minor == 32_000


@pytest.mark.parametrize(
    ("now_ms", "sudden_death", "ends_at_ms"),
    [
        (50_000, False, 60_000),
        (50_001, False, 60_001),
        (59_999, False, 69_999),
        (59_999, True, 60_000),
    ],
)
def test_late_bids_extend_the_clock_unless_death_is_sudden(
    now_ms: int, sudden_death: bool, ends_at_ms: int
) -> None:
    bidding = replace(OPEN, terms=replace(TERMS, sudden_death=sudden_death))
    assert taken(bidding, says("ann", 10_000), now_ms=now_ms).ends_at_ms == ends_at_ms


def test_a_short_counter_bid_time_never_brings_the_end_nearer() -> None:
    bidding = replace(OPEN, terms=replace(TERMS, counter_bid_ms=3_000))
    assert taken(bidding, says("ann", 10_000), now_ms=51_000).ends_at_ms == 60_000
    assert taken(bidding, says("ann", 10_000), now_ms=58_000).ends_at_ms == 61_000


def test_a_bid_is_too_late_exactly_when_the_auction_can_end() -> None:
    leading = taken(OPEN, says("ann", 10_000))
    assert end(leading, 59_999) is None
    assert isinstance(bid(leading, says("bo", 20_000), 59_999), Accepted)
    assert bid(leading, says("bo", 20_000), 60_000) == TooLate()
    over = end(leading, 60_000)
    assert over is not None
    assert over.state == AuctionState.WON
    assert end(over, 60_000) is None
    assert bid(over, says("bo", 20_000), 0) == TooLate()
    nobody = end(OPEN, 60_000)
    assert nobody is not None
    assert nobody.state == AuctionState.UNSOLD


def test_it_is_called_off_only_before_the_first_bid() -> None:
    off = cancel(OPEN)
    assert off is not None
    assert (off.state, cancel(off)) == (AuctionState.CANCELLED, None)
    assert bid(off, says("ann", 10_000), 0) == TooLate()
    assert cancel(taken(OPEN, says("ann", 10_000))) is None


def test_its_shows_end_cancels_it_whoever_leads_unless_its_clock_has_run_out() -> None:
    leading = taken(OPEN, says("ann", 10_000))
    for bidding in (OPEN, leading):
        off = call_off(bidding, 59_999)
        assert off == replace(bidding, state=AuctionState.CANCELLED)
        assert call_off(off, 59_999) is None
    over = call_off(leading, 60_000)
    assert over == end(leading, 60_000)
    assert over is not None
    assert call_off(over, 70_000) is None


def test_a_seller_does_not_bid_for_what_it_sells() -> None:
    assert bid(OPEN, says("seller", 50_000), 0) == OwnLot()


def test_a_lot_that_is_let_go_is_the_runner_ups_once() -> None:
    over = end(taken(OPEN, says("bo", 12_000), says("ann", 20_000)), 60_000)
    assert over is not None
    heir = Lead("bo", "Bo", 12_000)
    offered = pass_on(over, heir)
    assert (offered.state, offered.lead, offered.price_minor) == ("offered", heir, 12_000)
    assert pass_on(offered, Lead("cho", "Cho", 11_000)) == replace(
        offered, state=AuctionState.UNSOLD
    )
    assert pass_on(over, None) == replace(over, state=AuctionState.UNSOLD)


@given(
    st.sampled_from(sorted(INCREMENTS)), st.integers(0, PRICE_LIMIT_MINOR), st.integers(0, 10**6)
)
def test_increments_rise_with_the_price(name: str, price_minor: int, more: int) -> None:
    assert 0 < increment(price_minor, name) <= increment(price_minor + more, name)


class Sale(RuleBasedStateMachine):
    """Buyers bid as time passes; beside it stands every bid that was taken."""

    @initialize(sudden_death=st.booleans(), counter_bid_ms=st.integers(3_000, 30_000))
    def begin(self, sudden_death: bool, counter_bid_ms: int) -> None:
        """An auction of a minute."""
        terms = Terms("seller", 10_000, "standard", counter_bid_ms, sudden_death)
        self.bidding = Bidding(terms, AuctionState.OPEN, 10_000, None, 0, 0, 60_000)
        self.now_ms = 0
        self.offers: list[Offer] = []
        self.contested = 0

    @rule(passed_ms=st.integers(0, 15_000))
    def time_passes(self, passed_ms: int) -> None:
        """The clock goes on."""
        self.now_ms += passed_ms

    @rule(buyer=st.sampled_from(BUYERS), over=st.integers(-3_000, 60_000), is_max=st.booleans())
    def somebody_bids(self, buyer: str, over: int, is_max: bool) -> None:
        """A bid around the least that may be bid."""
        before, offer = self.bidding, says(buyer, minimum(self.bidding) + over, is_max=is_max)
        decision = bid(before, offer, self.now_ms)
        if not isinstance(decision, Accepted | Outbid):
            return
        now = self.bidding = decision.bidding
        self.offers.append(offer)
        assert before.state == AuctionState.OPEN
        assert self.now_ms < before.ends_at_ms
        assert now.price_minor >= before.price_minor
        assert now.sequence == before.sequence + 1 == len(self.offers)
        own_raise = now.bids == before.bids
        grown = now.ends_at_ms - before.ends_at_ms
        assert grown >= 0
        if grown:
            assert not own_raise
            assert not now.terms.sudden_death
            assert before.ends_at_ms - self.now_ms < EXTEND_UNDER_MS
            assert now.ends_at_ms == self.now_ms + now.terms.counter_bid_ms
        if own_raise:
            assert (now.price_minor, now.ends_at_ms) == (before.price_minor, before.ends_at_ms)
        else:
            assert now.price_minor > before.price_minor or before.lead is None
            self.contested = len(self.offers)

    @rule()
    def the_seller_calls_it_off(self) -> None:
        """Which goes only before the first bid."""
        off = cancel(self.bidding)
        assert (off is None) == (bool(self.offers) or self.bidding.state != AuctionState.OPEN)
        self.bidding = off or self.bidding

    @rule()
    def a_node_sweeps(self) -> None:
        """It ends when its time is over, and once."""
        over = end(self.bidding, self.now_ms)
        due = self.bidding.state == AuctionState.OPEN and self.now_ms >= self.bidding.ends_at_ms
        assert (over is not None) == due
        self.bidding = over or self.bidding
        assert end(self.bidding, self.now_ms) is None

    @invariant()
    def the_winner_offered_most_and_pays_what_the_others_made_it_pay(self) -> None:
        """Reckoned from all bids that were taken."""
        lead = self.bidding.lead
        assert (lead is None) == (not self.offers)
        if lead is None:
            assert self.bidding.price_minor == self.bidding.terms.start_minor
            return
        most = max(offer.amount_minor for offer in self.offers)
        first = next(offer for offer in self.offers if offer.amount_minor == most)
        assert (lead.buyer, lead.max_minor) == (first.buyer, most)
        others = [offer.amount_minor for offer in self.offers if offer.buyer != lead.buyer]
        price = self.bidding.terms.start_minor
        if others:
            # A max that was raised after the last contest has cost its bidder nothing.
            reach = max(offer.amount_minor for offer in self.offers[: self.contested])
            price = min(reach, max(others) + increment(max(others), "standard"))
        said = [o.amount_minor for o in self.offers if o.buyer == lead.buyer and not o.is_max]
        assert self.bidding.price_minor == max([price, *said])


TestSale = Sale.TestCase
