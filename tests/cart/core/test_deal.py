"""A deal's life, its price, and its last unit."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cart.core.deal import (
    NEXT,
    OPEN,
    Ask,
    Deal,
    DealEvent,
    DealKind,
    DealLimit,
    DealShort,
    DealState,
    NotForSale,
    Offer,
    at,
    end,
    follow,
    judge,
    price,
    start,
    took,
)

NOW = 1_000_000
MINUTE = 60_000
FLASH = Deal(
    id="d",
    store="camellia",
    show="s",
    product="p",
    kind=DealKind.FLASH,
    state=DealState.ANNOUNCED,
    price_minor=None,
    percent_off=30,
    skus=(),
    units=5,
    taken=0,
    limit_per_buyer=2,
    shuts=False,
    length_ms=MINUTE,
    starts_at_ms=None,
    ends_at_ms=None,
    version=1,
)
LIVE = msgspec.structs.replace(
    FLASH, kind=DealKind.LIVE, units=None, limit_per_buyer=None, length_ms=None
)


def ask(quantity: int = 1, *, show: str | None = "s", has: int = 0, sku: str = "p") -> Ask:
    """Somebody wants units of a SKU of 10,000."""
    return Ask(sku, 10_000, quantity, show, has)


def running(deal: Deal = FLASH) -> Deal:
    """The deal, started now."""
    started = start(deal, NOW)
    assert started is not None
    return started


def test_the_machine_has_no_way_back() -> None:
    """Every state but the last ones can be left, and none is come back to."""
    order = [DealState.ANNOUNCED, DealState.RUNNING, DealState.ENDED, DealState.CANCELLED]
    for state, ways in NEXT.items():
        assert bool(ways) is (state in OPEN)
        assert all(order.index(target) > order.index(state) for target in ways.values())
    assert {event for ways in NEXT.values() for event in ways} == set(DealEvent)


def test_a_countdown_then_a_minute_then_the_price_is_back() -> None:
    """The edges are the first milliseconds in which the next state holds."""
    deal = start(FLASH, NOW, 10_000)
    assert deal is not None
    assert deal.state is DealState.ANNOUNCED
    begins, ends = NOW + 10_000, NOW + 10_000 + MINUTE
    assert [judge(deal, ask(), now) for now in (begins - 1, begins, ends - 1, ends)] == [
        Offer(10_000),
        Offer(7_000, "d"),
        Offer(7_000, "d"),
        Offer(10_000),
    ]
    assert at(deal, ends).state is DealState.ENDED


def test_an_announced_deal_without_a_time_waits() -> None:
    """For the seller, however long."""
    assert at(FLASH, NOW * 1_000).state is DealState.ANNOUNCED
    assert judge(FLASH, ask(), NOW) == Offer(10_000)


def test_a_countdown_can_be_cut_short_and_a_running_deal_not_restarted() -> None:
    """The end moves with the start."""
    counting = start(FLASH, NOW, 300_000)
    assert counting is not None
    started = start(counting, NOW + 5)
    assert started is not None
    assert (started.state, started.ends_at_ms) == (DealState.RUNNING, NOW + 5 + MINUTE)
    assert start(started, NOW + 6) == started
    assert start(started, NOW + 6, 10_000) is None
    assert start(end(started, NOW + 7), NOW + 8) is None


def test_it_holds_in_its_show_alone() -> None:
    """The store's page, and other shows, sell at the product's own price."""
    assert judge(running(), ask(show=None), NOW) == Offer(10_000)
    assert judge(running(), ask(show="other"), NOW) == Offer(10_000)


def test_it_may_be_for_some_skus() -> None:
    """The others cost what they cost, whatever becomes of the deal."""
    deal = running(msgspec.structs.replace(FLASH, skus=("red",), shuts=True, taken=5))
    assert judge(deal, ask(sku="blue"), NOW) == Offer(10_000)
    assert judge(deal, ask(sku="red"), NOW) == NotForSale("p")


def test_limits() -> None:
    """A buyer's, then the deal's."""
    deal = running()
    assert judge(deal, ask(2), NOW) == Offer(7_000, "d")
    assert judge(deal, ask(3), NOW) == DealLimit(2)
    assert judge(deal, ask(1, has=2), NOW) == DealLimit(2)
    assert judge(took(deal, 4), ask(2), NOW) == DealShort("p", 1)


@pytest.mark.parametrize(("shuts", "then"), [(False, Offer(10_000)), (True, NotForSale("p"))])
def test_after_its_last_unit_and_after_its_end(shuts: bool, then: Offer | NotForSale) -> None:
    """The rest goes at full price or not at all, as the seller chose."""
    deal = running(msgspec.structs.replace(FLASH, shuts=shuts))
    assert judge(took(deal, 5), ask(), NOW) == then
    assert judge(took(took(deal, 5), -1), ask(), NOW) == Offer(7_000, "d")
    assert judge(deal, ask(show=None), NOW) == then
    assert judge(deal, ask(), NOW + MINUTE) == then
    assert judge(end(deal, NOW + 1), ask(), NOW + 1) == then
    assert judge(end(deal, NOW + 1, opens=True), ask(), NOW + 2) == Offer(10_000)


def test_ending_it_again_changes_nothing_but_may_open_the_product() -> None:
    """Whoever repeats a request for its end does not put the product on sale."""
    deal = end(running(msgspec.structs.replace(FLASH, shuts=True)), NOW + 1)
    assert (deal.state, deal.shuts) == (DealState.ENDED, True)
    assert end(deal, NOW + 2) == deal
    opened = end(deal, NOW + 2, opens=True)
    assert (opened.state, opened.shuts, opened.ends_at_ms) == (DealState.ENDED, False, NOW + 1)
    assert not opened.rules


def test_what_never_ran_is_cancelled() -> None:
    """And shuts nothing."""
    cancelled = end(msgspec.structs.replace(FLASH, shuts=True), NOW)
    assert cancelled.state is DealState.CANCELLED
    assert not cancelled.rules
    assert judge(cancelled, ask(), NOW) == Offer(10_000)
    assert end(cancelled, NOW + 1) == cancelled


def test_a_live_price_follows_its_show() -> None:
    """It begins when the show is live and ends with it; a flash only ends with it."""
    assert follow(LIVE, "scheduled", NOW) == LIVE
    live = follow(LIVE, "live", NOW)
    assert (live.state, live.ends_at_ms) == (DealState.RUNNING, None)
    assert judge(live, ask(99), NOW * 9) == Offer(7_000, "d")
    assert follow(live, "ended", NOW + 1).state is DealState.ENDED
    assert follow(FLASH, "live", NOW) == FLASH
    assert follow(FLASH, "ended", NOW).state is DealState.CANCELLED


def test_the_shows_end_does_not_move_an_end_that_was() -> None:
    """What ended by its clock ended then."""
    deal = running()
    assert end(deal, NOW + 9 * MINUTE, opens=True).ends_at_ms == NOW + MINUTE


@given(own=st.integers(1, 10**9), off=st.integers(1, 90), fixed=st.integers(1, 10**9))
def test_a_deal_never_costs_more(own: int, off: int, fixed: int) -> None:
    """Nor nothing."""
    percent = msgspec.structs.replace(FLASH, percent_off=off)
    assert 1 <= price(percent, own) <= own
    assert price(msgspec.structs.replace(FLASH, percent_off=None, price_minor=fixed), own) == min(
        own, fixed
    )


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.booleans()), max_size=40),
    st.booleans(),
)
def test_never_more_than_its_units_whoever_asks(
    asks: list[tuple[int, int, bool]], shuts: bool
) -> None:
    """Whatever is taken and given back, `taken` is what buyers have of it, within both limits."""
    deal = running(msgspec.structs.replace(FLASH, shuts=shuts))
    has = dict.fromkeys(range(4), 0)
    for quantity, buyer, gives_back in asks:
        if gives_back and has[buyer]:
            deal, has[buyer] = took(deal, -has[buyer]), 0
            continue
        judged = judge(deal, ask(quantity, has=has[buyer]), NOW)
        if judged == Offer(7_000, "d"):
            deal, has[buyer] = took(deal, quantity), has[buyer] + quantity
        assert deal.taken == sum(has.values()) <= 5
        assert max(has.values()) <= 2
