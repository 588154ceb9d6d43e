"""A hold's life: units set aside for one buyer until a deadline, an order, or a change of mind.

`NEXT` is the whole machine. What is not in the table cannot happen. HELD and ORDERED have a
deadline; PAYING has none, because money may be moving.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from cart.core.money import PRICE_LIMIT_MINOR

QUANTITY_LIMIT_UNITS: Final = 99
"""Most units in one hold; more are refused."""

GRACE_MS: Final = 5_000
"""How much later than its buyer is told a deadline really ends: who is just in time is in time."""

EXTENSION_MS: Final = 120_000
"""What a hold gains when its buyer asks for more time, which is possible once."""

LINES_LIMIT: Final = 20
"""Most SKUs in one request for holds; more are refused."""


class HoldState(StrEnum):
    """Where a hold is in its life."""

    HELD = "held"
    ORDERED = "ordered"
    PAYING = "paying"
    SOLD = "sold"
    RELEASED = "released"
    EXPIRED = "expired"


class HoldEvent(StrEnum):
    """What can happen to a hold."""

    ORDER = "order"
    CLAIM = "claim"
    SELL = "sell"
    LET_GO = "let_go"
    RELEASE = "release"
    EXPIRE = "expire"


NEXT: Final[Mapping[HoldState, Mapping[HoldEvent, HoldState]]] = {
    HoldState.HELD: {
        HoldEvent.ORDER: HoldState.ORDERED,
        HoldEvent.RELEASE: HoldState.RELEASED,
        HoldEvent.EXPIRE: HoldState.EXPIRED,
    },
    HoldState.ORDERED: {
        HoldEvent.CLAIM: HoldState.PAYING,
        HoldEvent.RELEASE: HoldState.RELEASED,
        HoldEvent.EXPIRE: HoldState.EXPIRED,
    },
    HoldState.PAYING: {
        HoldEvent.SELL: HoldState.SOLD,
        HoldEvent.LET_GO: HoldState.ORDERED,
    },
    HoldState.SOLD: {HoldEvent.RELEASE: HoldState.RELEASED},
    HoldState.RELEASED: {},
    HoldState.EXPIRED: {},
}

LIVE: Final = (HoldState.HELD, HoldState.ORDERED)
"""States with a running deadline."""

COUNTED: Final = (HoldState.HELD, HoldState.ORDERED, HoldState.PAYING, HoldState.SOLD)
"""States whose units count against a buyer's limit."""


class HoldLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Units of one SKU that somebody wants; `price_minor`: what they were told one costs."""

    sku: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    quantity: Annotated[int, msgspec.Meta(ge=1, le=QUANTITY_LIMIT_UNITS)] = 1
    price_minor: Annotated[int, msgspec.Meta(ge=1, le=PRICE_LIMIT_MINOR)] | None = None


class Hold(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Units of one SKU as their buyer sees them at `now_ms`, at the price they were held for.

    `deal`: the deal that made the price, None where it is the SKU's own. `extended`: its one
    extension has been taken.
    """

    id: str
    sku: str
    product: str
    title: str
    options: tuple[str, ...]
    quantity: int
    price_minor: int
    currency: str
    deal: str | None
    show: str | None
    order: str | None
    state: HoldState
    expires_at_ms: int
    extended: bool = False
    now_ms: int


def after(state: HoldState, event: HoldEvent) -> HoldState | None:
    """The state after the event, or None when it cannot happen in this state."""
    return NEXT[state].get(event)
