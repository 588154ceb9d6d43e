"""An auction's arithmetic: who leads, at what price, until when.

Bids are for one unit of the lot; who wins gets the whole lot at the last price. A plain bid says
what is paid; a max bid is kept to oneself, and the price rises only as far as others make it.
Always true: the price never falls; who leads has offered most, and of two who offered the same the
earlier; the end only ever moves away, by a bid of another than the leader in the last seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.money import PRICE_LIMIT_MINOR

EXTEND_UNDER_MS: Final = 10_000
"""A bid with less time left than this gives the auction its counter-bid time again."""

INCREMENTS: Final[Mapping[str, tuple[tuple[int, int], ...]]] = {
    "fine": (
        *((0, 100), (3_000, 200), (5_000, 300), (10_000, 500)),
        *((30_000, 1_000), (100_000, 2_000), (200_000, 5_000)),
    ),
    "standard": (
        *((0, 1_000), (30_000, 2_000), (50_000, 3_000), (100_000, 5_000)),
        *((300_000, 10_000), (1_000_000, 20_000), (2_000_000, 50_000)),
    ),
}
"""Name → (from this price on, the next bid is at least so much higher), in won, rising."""


Price = Annotated[int, msgspec.Meta(ge=1, le=PRICE_LIMIT_MINOR)]


class NewAuction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a seller chooses; anything out of bounds is refused.

    The clock starts in `starts_in_s` and runs for `length_s`; bids are taken before it starts.
    A bid with less than 10 s left sets it to `counter_bid_s`, never back, unless `sudden_death`.
    Who wins has `claim_s` to order; if they do not, the runner-up may, with `to_runner_up`.
    """

    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_LIMIT_UNITS)] = 1
    start_minor: Price
    increments: Literal["fine", "standard"] = "standard"
    starts_in_s: Annotated[int, msgspec.Meta(ge=0, le=3_600)] = 0
    length_s: Annotated[int, msgspec.Meta(ge=5, le=3_600)] = 60
    counter_bid_s: Annotated[int, msgspec.Meta(ge=3, le=30)] = 10
    sudden_death: bool = False
    claim_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 600
    to_runner_up: bool = False


class NewBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody would pay for one unit; with `max` at most so much, as little as it takes."""

    amount_minor: Price
    max: bool = False


class AuctionState(StrEnum):
    """Where an auction is in its life."""

    OPEN = "open"
    WON = "won"
    OFFERED = "offered"
    UNSOLD = "unsold"
    CANCELLED = "cancelled"


class AuctionEvent(StrEnum):
    """What can happen to an auction; LAPSE: whose it was did not take it."""

    CANCEL = "cancel"
    WIN = "win"
    FAIL = "fail"
    OFFER = "offer"
    LAPSE = "lapse"


NEXT: Final[Mapping[AuctionState, Mapping[AuctionEvent, AuctionState]]] = {
    AuctionState.OPEN: {
        AuctionEvent.CANCEL: AuctionState.CANCELLED,
        AuctionEvent.WIN: AuctionState.WON,
        AuctionEvent.FAIL: AuctionState.UNSOLD,
    },
    AuctionState.WON: {
        AuctionEvent.OFFER: AuctionState.OFFERED,
        AuctionEvent.LAPSE: AuctionState.UNSOLD,
    },
    AuctionState.OFFERED: {AuctionEvent.LAPSE: AuctionState.UNSOLD},
    AuctionState.UNSOLD: {},
    AuctionState.CANCELLED: {},
}


class Standing(StrEnum):
    """How somebody who has bid fares.

    LAPSED: the lot was theirs, and they let it go. CANCELLED: the show ended before the auction.
    """

    LEADING = "leading"
    OUTBID = "outbid"
    WON = "won"
    OFFERED = "offered"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


_LEADERS_STANDING: Final[Mapping[AuctionState, Standing]] = {
    AuctionState.OPEN: Standing.LEADING,
    AuctionState.WON: Standing.WON,
    AuctionState.OFFERED: Standing.OFFERED,
    AuctionState.UNSOLD: Standing.LAPSED,
    AuctionState.CANCELLED: Standing.CANCELLED,
}


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """A bidder's own part, which nobody else is told: the most it offered, for one unit.

    `hold` is the lot, at the price to be paid until the hold's deadline, once it is won or offered.
    """

    standing: Standing
    max_minor: int
    hold: str | None


class Auction(msgspec.Struct, frozen=True, kw_only=True):
    """An auction as everybody sees it at `now_ms`.

    `price_minor`: what one unit costs whoever leads, `minimum_minor`: the least another may bid;
    `bids`: how often the price was contested; `leader`: an account, null before the first bid, the
    one whose lot it is once it is won or offered. The clock runs from `starts_at_ms` to
    `ends_at_ms`; bids are taken before its start too.
    """

    id: str
    show: str
    store: str
    product: str
    sku: str
    title: str
    options: tuple[str, ...]
    quantity: int
    currency: str
    state: AuctionState
    start_minor: int
    increments: str
    price_minor: int
    minimum_minor: int
    bids: int
    leader: str | None
    leader_name: str | None
    starts_at_ms: int
    ends_at_ms: int
    counter_bid_ms: int
    sudden_death: bool
    claim_ms: int
    to_runner_up: bool
    version: int
    now_ms: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the seller chose: `start_minor` for one unit, the name of its increments, its clock."""

    seller: str
    start_minor: int
    increments: str
    counter_bid_ms: int
    sudden_death: bool


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads, and the most they said they would pay, which nobody else is told."""

    buyer: str
    name: str
    max_minor: int


@dataclass(frozen=True, slots=True)
class Bidding:
    """How an auction stands.

    `sequence` counts every bid that was taken, `bids` those that contested the price, which is
    `start_minor` before the first.
    """

    terms: Terms
    state: AuctionState
    price_minor: int
    lead: Lead | None
    sequence: int
    bids: int
    ends_at_ms: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody would pay so much for one unit; `is_max`: at most so much."""

    buyer: str
    name: str
    amount_minor: int
    is_max: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """The bidder leads; `displaced` is who led before, if that was somebody else."""

    bidding: Bidding
    displaced: str | None


@dataclass(frozen=True, slots=True)
class Outbid:
    """The bid was taken, and the leader's max bid is no lower: the price rose."""

    bidding: Bidding


@dataclass(frozen=True, slots=True)
class TooLow:
    """Less than this may not be bid."""

    minimum_minor: int


@dataclass(frozen=True, slots=True)
class AlreadyLeading:
    """Nobody bids against themselves; a leader may only raise its max."""


@dataclass(frozen=True, slots=True)
class TooLate:
    """The auction is over."""


@dataclass(frozen=True, slots=True)
class OwnLot:
    """A seller does not bid for what it sells."""


Refused = TooLow | AlreadyLeading | TooLate | OwnLot
Decision = Accepted | Outbid | Refused


def after(state: AuctionState, event: AuctionEvent) -> AuctionState | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)


def standing(state: AuctionState, *, leads: bool) -> Standing:
    """How somebody who has bid fares; `leads`: the auction names it as leader."""
    if not leads:
        return Standing.OUTBID
    return _LEADERS_STANDING[state]


def increment(price_minor: int, increments: str) -> int:
    """How much higher than this price the next bid has to be."""
    return max(step for start, step in INCREMENTS[increments] if start <= price_minor)


def minimum(bidding: Bidding) -> int:
    """The least that somebody who does not lead may bid for one unit."""
    if bidding.lead is None:
        return bidding.terms.start_minor
    return bidding.price_minor + increment(bidding.price_minor, bidding.terms.increments)


def bid(bidding: Bidding, offer: Offer, now_ms: int) -> Decision:
    """Decide a bid that arrives at `now_ms`."""
    if offer.buyer == bidding.terms.seller:
        return OwnLot()
    if bidding.state != AuctionState.OPEN or now_ms >= bidding.ends_at_ms:
        return TooLate()
    lead = bidding.lead
    if lead is not None and lead.buyer == offer.buyer:
        return _raise_max(bidding, lead, offer)
    if offer.amount_minor < minimum(bidding):
        return TooLow(minimum(bidding))
    contested = replace(
        bidding,
        sequence=bidding.sequence + 1,
        bids=bidding.bids + 1,
        ends_at_ms=_end_after(bidding, now_ms),
    )
    if lead is not None and offer.amount_minor <= lead.max_minor:
        step = increment(offer.amount_minor, bidding.terms.increments)
        return Outbid(
            replace(contested, price_minor=min(lead.max_minor, offer.amount_minor + step))
        )
    return Accepted(
        replace(
            contested,
            price_minor=_leading_price(bidding, offer),
            lead=Lead(offer.buyer, offer.name, offer.amount_minor),
        ),
        displaced=lead.buyer if lead else None,
    )


def end(bidding: Bidding, now_ms: int) -> Bidding | None:
    """The auction at its end, won or unsold; None while it goes on or when it was over before."""
    if bidding.state != AuctionState.OPEN or now_ms < bidding.ends_at_ms:
        return None
    state = after(bidding.state, AuctionEvent.WIN if bidding.lead else AuctionEvent.FAIL)
    assert state is not None
    return replace(bidding, state=state)


def cancel(bidding: Bidding) -> Bidding | None:
    """The auction called off; None once somebody has bid, or when it is over."""
    state = after(bidding.state, AuctionEvent.CANCEL)
    return None if state is None or bidding.lead else replace(bidding, state=state)


def call_off(bidding: Bidding, now_ms: int) -> Bidding | None:
    """What its show's end makes of the auction; None when it was over before.

    Who leads has won only where the clock has run out: else others might have bid more yet.
    """
    over = end(bidding, now_ms)
    if over is not None:
        return over
    state = after(bidding.state, AuctionEvent.CANCEL)
    return None if state is None else replace(bidding, state=state)


def pass_on(bidding: Bidding, heir: Lead | None) -> Bidding:
    """The auction whose lot was let go: the heir's at its own last bid, once, or nobody's."""
    offered = after(bidding.state, AuctionEvent.OFFER)
    if heir is not None and offered is not None:
        return replace(bidding, state=offered, lead=heir, price_minor=heir.max_minor)
    lapsed = after(bidding.state, AuctionEvent.LAPSE)
    assert lapsed is not None
    return replace(bidding, state=lapsed)


def _raise_max(bidding: Bidding, lead: Lead, offer: Offer) -> Decision:
    """A leader's higher max changes nothing that others see, nor the clock."""
    if not offer.is_max:
        return AlreadyLeading()
    if offer.amount_minor <= lead.max_minor:
        return TooLow(lead.max_minor + 1)
    raised = replace(lead, max_minor=offer.amount_minor)
    return Accepted(replace(bidding, sequence=bidding.sequence + 1, lead=raised), displaced=None)


def _leading_price(bidding: Bidding, offer: Offer) -> int:
    if not offer.is_max:
        return offer.amount_minor
    if bidding.lead is None:
        return bidding.terms.start_minor
    beaten = bidding.lead.max_minor
    return min(offer.amount_minor, beaten + increment(beaten, bidding.terms.increments))


def _end_after(bidding: Bidding, now_ms: int) -> int:
    if bidding.terms.sudden_death or bidding.ends_at_ms - now_ms >= EXTEND_UNDER_MS:
        return bidding.ends_at_ms
    return max(bidding.ends_at_ms, now_ms + bidding.terms.counter_bid_ms)
