"""Deals over HTTP, and whether a show sells by codes said in its chat."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from cart.adapters.routes import Operation
from cart.adapters.service import Cart
from cart.adapters.wire import Id
from cart.core.deal import (
    COUNTDOWN_MOST_S,
    LENGTH_LEAST_S,
    LENGTH_MOST_S,
    PERCENT_LIMIT,
    SKUS_LIMIT,
    UNITS_LIMIT,
    Deal,
    DealKind,
)
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.core.money import PRICE_LIMIT_MINOR
from cart.dealing import Terms

Countdown = Annotated[int, Meta(ge=0, le=COUNTDOWN_MOST_S)]


class NewDeal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A deal of a show: a price, or a percentage off, of a product or of some of its SKUs.

    `live`: for as long as the show is live. `flash`: `units` for `length_s`; `starts_in_s` 0
    starts it at once, 10 to 300 count down to it, null waits for a word. `shuts`: once its units
    or its time are over the product is not sold at full price either.
    """

    product: Id
    kind: DealKind
    price_minor: Annotated[int, Meta(ge=1, le=PRICE_LIMIT_MINOR)] | None = None
    percent_off: Annotated[int, Meta(ge=1, le=PERCENT_LIMIT)] | None = None
    skus: Annotated[list[Id], Meta(max_length=SKUS_LIMIT)] = []
    units: Annotated[int, Meta(ge=1, le=UNITS_LIMIT)] | None = None
    limit_per_buyer: Annotated[int, Meta(ge=1, le=QUANTITY_LIMIT_UNITS)] | None = None
    shuts: bool = False
    length_s: Annotated[int, Meta(ge=LENGTH_LEAST_S, le=LENGTH_MOST_S)] | None = None
    starts_in_s: Countdown | None = None


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an announced deal starts: at once, or after 10 to 300 s."""

    countdown_s: Countdown = 0


class Deals(msgspec.Struct, frozen=True, kw_only=True):
    """A show's deals as they are at `now_ms`, newest first."""

    deals: Sequence[Deal]
    now_ms: int


class CodeSwitch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a code said in the show's chat buys."""

    open: bool


def operations(cart: Cart) -> list[Operation]:
    """The operations of deals and codes."""
    return [*_deal_operations(cart), *_code_operations(cart)]


def _deal_operations(cart: Cart) -> list[Operation]:
    dealing = cart.dealing

    async def announce(person: str, idempotency_key: str, show: str, body: NewDeal) -> Deal:
        """Announce or start a deal of a product in a show; the same key gives the same deal."""
        terms = Terms(**msgspec.structs.asdict(body) | {"skus": tuple(body.skus)})
        return await dealing.announce(person, show, idempotency_key, terms)

    async def list_deals(show: str) -> Deals:
        """A show's deals, newest first, at most 100."""
        deals, now_ms = await dealing.deals_of(show)
        return Deals(deals=deals, now_ms=now_ms)

    async def start(
        person: str,
        id: str,  # noqa: A002 - the path's name
        body: Start,
    ) -> Deal:
        """Start an announced deal, at once or after a countdown."""
        return await dealing.start(person, id, body.countdown_s)

    async def end(
        person: str,
        id: str,  # noqa: A002 - the path's name
        opens: bool = False,
    ) -> Deal:
        """End a deal or call it off; `opens`: sell what it shuts at full price again."""
        return await dealing.end(person, id, opens=opens)

    return [
        ("POST", "/shows/{show}/deals", announce, 201),
        ("GET", "/shows/{show}/deals", list_deals, 200),
        ("POST", "/deals/{id}/start", start, 200),
        ("POST", "/deals/{id}/end", end, 200),
    ]


def _code_operations(cart: Cart) -> list[Operation]:
    codes = cart.codes

    async def get_codes(show: str) -> CodeSwitch:
        """Whether a code said in the show's chat buys."""
        return CodeSwitch(open=await codes.is_open(show))

    async def put_codes(person: str, show: str, body: CodeSwitch) -> CodeSwitch:
        """Sell by codes said in the show's chat, or no longer."""
        return CodeSwitch(open=await codes.switch(person, show, opened=body.open))

    return [
        ("GET", "/shows/{show}/codes", get_codes, 200),
        ("PUT", "/shows/{show}/codes", put_codes, 200),
    ]
