"""An order: what a buyer takes out of holds, for one store, and its life up to the money.

`NEXT` is the whole machine, `HOLDS_FOLLOW` says what an order's event does to its holds. Holds of
the same SKU at the same price are one line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from cart.core.delivery import Postcode
from cart.core.hold import GRACE_MS, Hold, HoldEvent, HoldState
from cart.core.money import total
from cart.core.refund import Refund

HOLDS_LIMIT: Final = 20
"""Most holds in one order; more are refused."""


class OrderState(StrEnum):
    """Where an order is in its life."""

    PLACED = "placed"
    PAYING = "paying"
    PAID = "paid"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    CLAIM = "claim"
    SELL = "sell"
    LET_GO = "let_go"
    CANCEL = "cancel"
    EXPIRE = "expire"


NEXT: Final[Mapping[OrderState, Mapping[OrderEvent, OrderState]]] = {
    OrderState.PLACED: {
        OrderEvent.CLAIM: OrderState.PAYING,
        OrderEvent.CANCEL: OrderState.CANCELLED,
        OrderEvent.EXPIRE: OrderState.EXPIRED,
    },
    OrderState.PAYING: {
        OrderEvent.SELL: OrderState.PAID,
        OrderEvent.LET_GO: OrderState.PLACED,
    },
    OrderState.PAID: {OrderEvent.CANCEL: OrderState.CANCELLED},
    OrderState.CANCELLED: {},
    OrderState.EXPIRED: {},
}

HOLDS_FOLLOW: Final[Mapping[OrderEvent, HoldEvent]] = {
    OrderEvent.CLAIM: HoldEvent.CLAIM,
    OrderEvent.SELL: HoldEvent.SELL,
    OrderEvent.LET_GO: HoldEvent.LET_GO,
    OrderEvent.CANCEL: HoldEvent.RELEASE,
    OrderEvent.EXPIRE: HoldEvent.EXPIRE,
}

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class Recipient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who gets the parcel."""

    name: Word
    phone: Annotated[str, msgspec.Meta(min_length=3, max_length=30)]
    postcode: Postcode
    address: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """So many of one SKU at one price, and the line's share of what was taken off the order."""

    sku: str
    product: str
    title: str
    options: tuple[str, ...]
    quantity: int
    price_minor: int
    coupon_minor: int = 0
    points_minor: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its buyer and its seller see it at `now_ms`, with the quote it was placed at.

    `refunded_minor`: what went back or is on its way there.
    """

    id: str
    store: str
    buyer: str
    state: OrderState
    lines: tuple[Line, ...]
    goods_minor: int
    coupon: str | None
    coupon_minor: int
    delivery_minor: int
    points_minor: int
    total_minor: int
    earns_minor: int
    currency: str
    recipient: Recipient
    created_at_ms: int
    expires_at_ms: int
    now_ms: int
    refunded_minor: int = 0
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True)
class Basket:
    """What holds add up to."""

    store: str
    currency: str
    lines: tuple[Line, ...]
    total_minor: int


@dataclass(frozen=True, slots=True)
class NotHeld:
    """One of the holds is not held any more."""

    hold: str
    state: HoldState


@dataclass(frozen=True, slots=True)
class TooLate:
    """One of the holds is past its deadline."""

    hold: str


@dataclass(frozen=True, slots=True)
class MixedStores:
    """The holds are of more than one store or currency; an order has one of each."""


def after(state: OrderState, event: OrderEvent) -> OrderState | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)


def payable(order: Order) -> bool:
    """Whether it is placed and within the deadline of its holds, which all have its own."""
    return order.state == OrderState.PLACED and order.now_ms < order.expires_at_ms + GRACE_MS


def seller_hears(before: OrderState, now: OrderState) -> bool:
    """Whether the change is the seller's business: money came, or an order with money went."""
    return OrderState.PAID in (before, now)


def fill(
    holds: Sequence[Hold], stores: Mapping[str, str], now_ms: int
) -> Basket | NotHeld | TooLate | MixedStores:
    """Add up holds into a basket; `stores` gives the store of each product."""
    for hold in holds:
        if hold.state == HoldState.EXPIRED:
            return TooLate(hold.id)
        if hold.state != HoldState.HELD:
            return NotHeld(hold.id, hold.state)
        if hold.expires_at_ms + GRACE_MS <= now_ms:
            return TooLate(hold.id)
    sellers = {(stores[hold.product], hold.currency) for hold in holds}
    if len(sellers) != 1:
        return MixedStores()
    ((store, currency),) = sellers
    lines = sum_lines(holds)
    return Basket(store, currency, lines, total((li.price_minor, li.quantity) for li in lines))


def sum_lines(holds: Sequence[Hold]) -> tuple[Line, ...]:
    """One line for each SKU and price, in the order they first appear."""
    lines: dict[tuple[str, int], Line] = {}
    for hold in holds:
        kind = (hold.sku, hold.price_minor)
        earlier = lines.get(kind)
        lines[kind] = Line(
            sku=hold.sku,
            product=hold.product,
            title=hold.title if earlier is None else earlier.title,
            options=hold.options,
            quantity=hold.quantity + (0 if earlier is None else earlier.quantity),
            price_minor=hold.price_minor,
        )
    return tuple(lines.values())
