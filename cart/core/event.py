"""What the world is told: plain maps, ready for the wire, carrying the state they speak of.

Of one product the newest version wins, so a batch may be thinned to the newest without loss.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from cart.core.auction import Auction, Own
from cart.core.catalog import Product, ProductSku
from cart.core.deal import Deal
from cart.core.hold import Hold
from cart.core.order import Line, Order, OrderState
from cart.core.refund import Refund, RefundState
from cart.core.stock import Counters, Sku
from cart.core.waitlist import WaitState

Event = dict[str, Any]
Piles = Sequence[tuple[str, Counters]]


class SkuStock(msgspec.Struct, frozen=True, kw_only=True):
    """The units of one SKU that are free and held now."""

    id: str
    free: int
    held: int


class StockMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stock"):
    """The units of a product that are free and held now, in all and of each SKU."""

    product: str
    free: int
    held: int
    skus: tuple[SkuStock, ...]
    version: int


class SoldOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="sold_out"):
    """The last unit of a product, whatever its options, is gone for good."""

    product: str
    version: int


class Changed(msgspec.Struct, frozen=True, tag_field="type", tag="product"):
    """A product that is new or was edited, as it is now."""

    product: Product


class Priced(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="price"):
    """What a product costs now: the lowest of its SKUs' prices."""

    product: str
    price_minor: int
    currency: str
    version: int


class DealChanged(msgspec.Struct, frozen=True, tag_field="type", tag="deal"):
    """A deal of the show, as it was at `now_ms`; what its clock has done since follows from it."""

    deal: Deal
    now_ms: int


class CodesSwitched(msgspec.Struct, frozen=True, tag_field="type", tag="codes"):
    """Whether a code said in the show's chat buys, once it is live."""

    open: bool


class CodeHeard(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="code"):
    """What became of a code that this viewer said; `saying`: the id it was said under.

    `outcome`: `held`, with the hold; `sold_out`, `limit_reached`, `deal_short`, `not_for_sale`
    or `unavailable` without.
    """

    saying: str
    code: str
    product: str
    sku: str
    quantity: int
    outcome: str
    hold: Hold | None


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and nothing about where it goes."""

    id: str
    store: str
    buyer: str
    state: OrderState
    lines: tuple[Line, ...]
    total_minor: int
    refunded_minor: int
    currency: str
    created_at_ms: int


class Ordered(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    """An order that was placed, or went on."""

    order: OrderSummary


class Refunded(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="refund"):
    """Money of an order is on its way back, is there, or could not be given back."""

    order: str
    refund: str
    state: RefundState
    amount_minor: int
    currency: str


class Offered(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="offer"):
    """It is your turn: units you waited for are held for you until the hold's deadline.

    The hold has the wait's id.
    """

    product: str
    hold: Hold


class WaitEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="wait"):
    """Your wait, or the offer it led to, is over."""

    wait: str
    product: str
    sku: str
    state: WaitState


class LineMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="waiting"):
    """So many wait for units of a SKU now."""

    product: str
    sku: str
    waiting: int


class AuctionChanged(msgspec.Struct, frozen=True, tag_field="type", tag="auction"):
    """An auction of the show as it is now."""

    auction: Auction


class BidFares(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="bidding"):
    """How your bid in an auction fares at that version of it."""

    auction: str
    own: Own
    version: int


FOR_EVERYBODY: Final = (
    *(StockMoved, SoldOut, Changed, Priced),
    *(DealChanged, AuctionChanged, CodesSwitched),
)
FOR_THE_SELLER: Final = (Ordered, LineMoved)
FOR_THE_SELLER_AND_THE_BUYER: Final = (Refunded,)
FOR_ONE: Final = (CodeHeard, Offered, WaitEnded, BidFares)
"""Whom it concerns alone."""

THINNED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("stock", "price", "product", "waiting"), "product"),
    "deal": "deal",
    "auction": "auction",
    "codes": "show",
}
"""Kinds of which only the newest of a thing, or of a SKU, matters → the member that names it."""


def moved(before: Sequence[Sku], after: Sequence[Sku]) -> list[Event]:
    """What a movement of units says: the stock, and that the last unit is gone for good.

    `before` and `after`: all SKUs of one product, in the same order.
    """
    return _stock_events(after[0].product, _piles(before), _piles(after), after[0].version)


def product_changed(before: Product | None, after: Product) -> list[Event]:
    """What a new or edited product says."""
    events = [_told(Changed(after))]
    if before is None:
        return events
    if before.price_minor != after.price_minor:
        priced = Priced(
            product=after.id,
            price_minor=after.price_minor,
            currency=after.currency,
            version=after.version,
        )
        events.append(_told(priced))
    piles = _piles(before.skus), _piles(after.skus)
    if piles[0] != piles[1]:
        events += _stock_events(after.id, *piles, after.version)
    return events


def deal_changed(deal: Deal, now_ms: int) -> Event:
    """What a deal's show hears of it."""
    return {**_told(DealChanged(deal, now_ms)), "show": deal.show}


def codes_switched(show: str, *, opened: bool) -> Event:
    """What a show hears of its switch for codes."""
    return {**_told(CodesSwitched(opened)), "show": show}


def code_heard(heard: CodeHeard) -> Event:
    """What somebody who said a code hears."""
    return _told(heard)


def order_changed(order: Order) -> Event:
    """What the seller hears of an order: what was bought, and nothing about where it goes."""
    summary = OrderSummary(
        id=order.id,
        store=order.store,
        buyer=order.buyer,
        state=order.state,
        lines=order.lines,
        total_minor=order.total_minor,
        refunded_minor=order.refunded_minor,
        currency=order.currency,
        created_at_ms=order.created_at_ms,
    )
    return {**_told(Ordered(summary)), "audience": "seller"}


def refund_moved(order: Order, refund: Refund) -> list[Event]:
    """What the seller, and the buyer alone, hear of a refund."""
    told = _told(
        Refunded(
            order=order.id,
            refund=refund.id,
            state=refund.state,
            amount_minor=refund.amount_minor,
            currency=order.currency,
        )
    )
    return [
        {**told, "audience": "seller"},
        _for_one(told, order.buyer),
    ]


def offered(hold: Hold, buyer: str) -> Event:
    """What a buyer whose turn it is hears."""
    return _for_one(_told(Offered(product=hold.product, hold=hold)), buyer)


def wait_ended(wait: str, product: str, sku: str, state: WaitState, buyer: str) -> Event:
    """What a buyer hears whose wait or offer is over."""
    told = _told(WaitEnded(wait=wait, product=product, sku=sku, state=state))
    return _for_one(told, buyer)


def line_moved(product: str, sku: str, waiting: int) -> Event:
    """What the seller hears of those who wait."""
    told = _told(LineMoved(product=product, sku=sku, waiting=waiting))
    return {**told, "audience": "seller"}


def auction_changed(auction: Auction) -> Event:
    """What the auction's show hears of it."""
    return {**_told(AuctionChanged(auction)), "show": auction.show}


def bid_fares(auction: Auction, buyer: str, own: Own) -> Event:
    """What a bidder alone hears."""
    told = BidFares(auction=auction.id, own=own, version=auction.version)
    return _for_one({**_told(told), "show": auction.show}, buyer)


def newest(events: Sequence[Event]) -> list[Event]:
    """The events without those of which a later one tells the newer state."""
    seen: set[tuple[str, str, str | None]] = set()
    kept: list[Event] = []
    for event in reversed(events):
        if event["type"] in THINNED:
            subject = event[THINNED[event["type"]]]
            named = subject if isinstance(subject, str) else subject["id"]
            kind = (event["type"], named, event.get("sku"))
            if kind in seen:
                continue
            seen.add(kind)
        kept.append(event)
    return kept[::-1]


def _piles(skus: Sequence[Sku] | Sequence[ProductSku]) -> list[tuple[str, Counters]]:
    return [(sku.id, sku.counters) for sku in skus]


def _stock_events(product: str, before: Piles, after: Piles, version: int) -> list[Event]:
    stocks = tuple(SkuStock(id=one, free=now.free, held=now.held) for one, now in after)
    free, held = sum(one.free for one in stocks), sum(one.held for one in stocks)
    told = StockMoved(product=product, free=free, held=held, skus=stocks, version=version)
    events = [_told(told)]
    if free + held == 0 and any(was.free + was.held > 0 for _, was in before):
        events.append(_told(SoldOut(product=product, version=version)))
    return events


def _for_one(told: Event, person: str) -> Event:
    return {**told, "audience": "person", "person": person}


def _told(event: msgspec.Struct) -> Event:
    told: Event = msgspec.to_builtins(event)
    return told
