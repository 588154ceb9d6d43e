"""Deals: a seller announces, starts and ends them; clocks and shows do the rest.

What a hold costs is decided by the ledger from the deal and the time of the commit, so nothing
here has to be in time: the sweep writes down what is true already, and the show hears of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cart.core import catalog
from cart.core.catalog import Product
from cart.core.deal import (
    COUNTDOWN_LEAST_S,
    COUNTDOWN_MOST_S,
    LENGTH_LEAST_S,
    LENGTH_MOST_S,
    PERCENT_LIMIT,
    SKUS_LIMIT,
    UNITS_LIMIT,
    Deal,
    DealKind,
    DealState,
    at,
    end,
    follow,
    price,
    start,
)
from cart.core.hold import QUANTITY_LIMIT_UNITS
from cart.errors import Conflict, IdempotencyMismatch, Invalid, NotFound
from cart.ports.answers import KeyUsed
from cart.ports.deals import DealBook, DealOpen, FindShow, ShowFacts
from cart.rounds import run_rounds
from cart.shopping import Shopping, new_id

SWEEP_LIMIT: Final = 100
"""Most deals in one sweep; the rest come in the next, at once."""

SWEEP_EVERY_S: Final = 0.5
"""The show hears that a deal started or ended at most this long after, if the database answers."""

SHOWS_EVERY_S: Final = 30.0
"""How often shows are asked for their stage, for when a word of theirs was lost."""

DEALS_LISTED_LIMIT: Final = 100
"""Most deals of a show in one answer, the newest; older ones are left out."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a seller wants; see `Deal`. `starts_in_s`: 0 at once, None when the seller says so."""

    product: str
    kind: DealKind
    price_minor: int | None = None
    percent_off: int | None = None
    skus: tuple[str, ...] = ()
    units: int | None = None
    limit_per_buyer: int | None = None
    shuts: bool = False
    length_s: int | None = None
    starts_in_s: int | None = None


class Dealing:
    """The use cases of deals; `run` must be running for shows to hear of starts and ends."""

    def __init__(
        self,
        book: DealBook,
        shopping: Shopping,
        find_show: FindShow,
        *,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._book = book
        self._shopping = shopping
        self._find_show = find_show
        self._make_id = make_id

    async def announce(self, person: str, show: str, key: str, terms: Terms) -> Deal:
        """A new deal of one's own show; the same key gives the same deal.

        A live price of a show that is live starts at once. Raises `NotFound`, `Forbidden`,
        `Invalid`, `IdempotencyMismatch`, and `Conflict` when the show is over, is not live yet
        where the deal is to start by a clock, or the product has an open deal.
        """
        found = await self._show(show)
        await self._shopping.own_store(person, found.store)
        wanted = _deal(self._make_id(), found.store, show, terms)
        kept: Deal | DealOpen | KeyUsed | None = await self._book.earlier(wanted, key)
        if kept is None:
            countdown_s = await self._countdown(found, terms)
            countdown_ms = None if countdown_s is None else countdown_s * 1000
            kept = await self._book.add(wanted, key, countdown_ms)
        if isinstance(kept, DealOpen):
            raise Conflict("the product has an open deal", deal=kept.deal)
        if isinstance(kept, KeyUsed):
            raise IdempotencyMismatch
        return kept

    async def start(self, person: str, deal: str, countdown_s: int = 0) -> Deal:
        """Start an announced deal, at once or after a countdown.

        What runs already runs on. Raises `NotFound`, `Forbidden`, `Invalid`, and `Conflict` when it
        is over, runs and is to count down, or its show is not live.
        """
        found = await self._own_deal(person, deal)
        if countdown_s:
            _demand("countdown_s", countdown_s, COUNTDOWN_LEAST_S, COUNTDOWN_MOST_S)
        stage = (await self._show(found.show)).stage
        if stage != "live":
            raise Conflict("the show is not live", state=stage)
        begun = partial(start, countdown_ms=countdown_s * 1000)
        return await self._change(found, begun)

    async def end(self, person: str, deal: str, *, opens: bool = False) -> Deal:
        """End a deal, or call it off before its start; a second time nothing changes.

        `opens`: a product that it shuts is sold at full price again. Raises `NotFound`,
        `Forbidden`.
        """
        found = await self._own_deal(person, deal)
        return await self._change(found, partial(end, opens=opens))

    async def deals_of(self, show: str) -> tuple[Sequence[Deal], int]:
        """A show's deals as they are now, newest first, and the time; raises `NotFound`."""
        await self._show(show)
        return await self._book.deals_of(show, DEALS_LISTED_LIMIT)

    async def ruling(self, show: str) -> tuple[Sequence[Deal], int]:
        """A show's deals that have a say in a price now, and the time."""
        return await self._book.ruling(show)

    async def follow_show(self, show: str) -> None:
        """The show's stage may have changed: its deals follow."""
        found = await self._find_show(show) if catalog.is_id(show) else None
        stage = "ended" if found is None else found.stage
        deals, now_ms = await self._book.ruling(show)
        for deal in deals:
            if follow(deal, stage, now_ms) != deal:
                await self._book.change(deal.id, lambda now, now_ms: follow(now, stage, now_ms))

    async def sweep(self) -> bool:
        """Write down what started and ended by the clock; whether there may be more."""
        due = await self._book.due(SWEEP_LIMIT)
        for deal in due:
            await self._book.change(deal, at)
        return len(due) == SWEEP_LIMIT

    async def follow_shows(self) -> bool:
        """Let the deals of all shows follow them; there is no more to do at once."""
        for show in await self._book.shows():
            await self.follow_show(show)
        return False

    async def run(self) -> None:
        """Sweep and follow until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, play, every_s in (
                ("deals", self.sweep, SWEEP_EVERY_S),
                ("deals of shows", self.follow_shows, SHOWS_EVERY_S),
            ):
                tasks.create_task(run_rounds(name, play, wake=asyncio.Event(), idle_s=every_s))

    async def _change(self, deal: Deal, change: Callable[[Deal, int], Deal | None]) -> Deal:
        changed = await self._book.change(deal.id, change)
        if changed is None:
            now = await self._book.deal(deal.id) or deal
            raise Conflict("not possible any more", state=str(now.state))
        return changed

    async def _own_deal(self, person: str, deal: str) -> Deal:
        found = await self._book.deal(deal) if catalog.is_id(deal) else None
        if found is None:
            raise NotFound("no such deal")
        await self._shopping.own_store(person, found.store)
        return found

    async def _countdown(self, show: ShowFacts, terms: Terms) -> int | None:
        """So many seconds until a deal of these terms starts in the show, None: when it is told.

        Raises `NotFound`, `Invalid`, `Conflict` where it cannot be now.
        """
        if show.stage == "ended":
            raise Conflict("the show is over", state=show.stage)
        product = await self._shopping.product(terms.product)
        if product.store != show.store or not show.carries(product.id):
            raise Invalid("a product of the show", field="product")
        countdown_s = _checked(terms, product)
        if terms.kind is DealKind.LIVE and show.stage == "live":
            countdown_s = 0
        if countdown_s is not None and show.stage != "live":
            raise Conflict("the show is not live", state=show.stage)
        return countdown_s

    async def _show(self, show: str) -> ShowFacts:
        found = await self._find_show(show) if catalog.is_id(show) else None
        if found is None:
            raise NotFound("no such show")
        return found


def _checked(terms: Terms, product: Product) -> int | None:
    """The countdown of these terms in seconds; raises `Invalid` where they cannot be."""
    if (terms.price_minor is None) is (terms.percent_off is None):
        raise Invalid("either a price or a percentage", field="price_minor")
    if terms.percent_off is not None:
        _demand("percent_off", terms.percent_off, 1, PERCENT_LIMIT)
    if terms.limit_per_buyer is not None:
        _demand("limit_per_buyer", terms.limit_per_buyer, 1, QUANTITY_LIMIT_UNITS)
    if terms.units is not None:
        _demand("units", terms.units, 1, UNITS_LIMIT)
    _demand_lower(terms, product)
    if terms.kind is DealKind.LIVE:
        if terms.shuts or terms.length_s is not None or terms.starts_in_s is not None:
            raise Invalid("a live price follows its show", field="kind")
        return None
    if terms.units is None:
        raise Invalid("a flash has so many units", field="units")
    _demand("length_s", terms.length_s or 0, LENGTH_LEAST_S, LENGTH_MOST_S)
    if terms.starts_in_s:
        _demand("starts_in_s", terms.starts_in_s, COUNTDOWN_LEAST_S, COUNTDOWN_MOST_S)
    return terms.starts_in_s


def _demand(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Invalid(f"{least} to {most}", field=field)


def _demand_lower(terms: Terms, product: Product) -> None:
    known = {sku.id: sku.price_minor for sku in product.skus}
    if len(terms.skus) > SKUS_LIMIT or not set(terms.skus) <= known.keys():
        raise Invalid("SKUs of the product", field="skus")
    deal = _deal("", product.store, "", terms)
    for own_minor in [known[sku] for sku in terms.skus or known]:
        if not 1 <= price(deal, own_minor) < own_minor:
            raise Invalid("lower than its own price", field="price_minor")


def _deal(name: str, store: str, show: str, terms: Terms) -> Deal:
    return Deal(
        id=name,
        store=store,
        show=show,
        product=terms.product,
        kind=terms.kind,
        state=DealState.ANNOUNCED,
        price_minor=terms.price_minor,
        percent_off=terms.percent_off,
        skus=tuple(sorted(set(terms.skus))),
        units=terms.units,
        taken=0,
        limit_per_buyer=terms.limit_per_buyer,
        shuts=terms.shuts,
        length_ms=None if terms.length_s is None else terms.length_s * 1000,
        starts_at_ms=None,
        ends_at_ms=None,
        version=1,
    )
