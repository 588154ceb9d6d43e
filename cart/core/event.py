"""What the world is told: plain maps, ready for the wire, carrying the state they speak of.

Of one product the newest version wins, so a batch may be thinned to the newest without loss.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cart.core.catalog import Product
from cart.core.order import Line, Order, OrderState
from cart.core.stock import Counters, Sku

Event = dict[str, Any]


class StockMoved(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="stock"):
    """The units of a product that are free and held now."""

    product: str
    free: int
    held: int
    version: int


class SoldOut(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="sold_out"):
    """The last unit of a product is gone for good."""

    product: str
    version: int


class Changed(msgspec.Struct, frozen=True, tag_field="type", tag="product"):
    """A product that is new or was edited, as it is now."""

    product: Product


class Priced(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="price"):
    """What a product costs now."""

    product: str
    price_minor: int
    currency: str
    version: int


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and nothing about where it goes."""

    id: str
    store: str
    buyer: str
    state: OrderState
    lines: tuple[Line, ...]
    total_minor: int
    currency: str
    created_at_ms: int


class Ordered(msgspec.Struct, frozen=True, tag_field="type", tag="order"):
    """An order that was placed, or went on."""

    order: OrderSummary


FOR_EVERYBODY: Final = (StockMoved, SoldOut, Changed, Priced)
FOR_THE_SELLER: Final = (Ordered,)

THINNED: Final = frozenset({"stock", "price", "product"})
"""Kinds of which only the newest of a product matters."""


def stock(product: str, counters: Counters, version: int) -> Event:
    """The units of a product that are free and held now."""
    return _told(
        StockMoved(product=product, free=counters.free, held=counters.held, version=version)
    )


def moved(before: Sku, after: Sku) -> list[Event]:
    """What a movement of units says: the stock, and that the last unit is gone for good."""
    return _stock_events(after.product, before.counters, after.counters, after.version)


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
    if before.counters != after.counters:
        events += _stock_events(after.id, before.counters, after.counters, after.version)
    return events


def order_changed(order: Order) -> Event:
    """What the seller hears of an order: what was bought, and nothing about where it goes."""
    summary = OrderSummary(
        id=order.id,
        store=order.store,
        buyer=order.buyer,
        state=order.state,
        lines=order.lines,
        total_minor=order.total_minor,
        currency=order.currency,
        created_at_ms=order.created_at_ms,
    )
    return {**_told(Ordered(summary)), "audience": "seller"}


def newest(events: Sequence[Event]) -> list[Event]:
    """The events without those of which a later one tells the newer state."""
    seen: set[tuple[str, str]] = set()
    kept: list[Event] = []
    for event in reversed(events):
        if event["type"] in THINNED:
            product = event["product"]
            kind = (event["type"], product if isinstance(product, str) else product["id"])
            if kind in seen:
                continue
            seen.add(kind)
        kept.append(event)
    return kept[::-1]


def _stock_events(product: str, before: Counters, after: Counters, version: int) -> list[Event]:
    events = [stock(product, after, version)]
    if before.free + before.held > 0 and after.free + after.held == 0:
        events.append(_told(SoldOut(product=product, version=version)))
    return events


def _told(event: msgspec.Struct) -> Event:
    told: Event = msgspec.to_builtins(event)
    return told
