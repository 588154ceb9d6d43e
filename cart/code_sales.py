"""Comment to buy: a code said in a show's chat becomes a hold of whoever said it.

The hold's idempotency key is the saying's, so a saying that is repeated, to whichever node, buys
once. One that was taken while its node died may have bought nothing: its author hears of no hold.
Ordinary talk costs one look at the database a moment, and codes are read again only when the
store's are others.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog

from cart.core import catalog, deal, stock
from cart.core.event import CodeHeard, Event, code_heard
from cart.core.hold import HoldLine
from cart.core.spoken import Reading, read
from cart.errors import NotFound
from cart.holding import Holding
from cart.ports.deals import CodeBook, Coded, Codes, FindShow, ShowFacts
from cart.shopping import Shopping

FRESH_S: Final = 1.0
"""A show's codes are looked up again after this long; so long a change may go unnoticed."""

REFUSED: Final[Mapping[type, str]] = {
    stock.SoldOut: "sold_out",
    stock.LimitReached: "limit_reached",
    deal.DealShort: "deal_short",
    deal.NotForSale: "not_for_sale",
}
"""What a refusal is called; any other is `unavailable`."""

SHOWS_KEPT: Final = 256
"""So many shows' codes are remembered on a node; then all are forgotten."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What somebody said in a show; `key` is the same when it is said again."""

    show: str
    buyer: str
    saying: str
    key: str
    line: str


@dataclass(slots=True)
class _Remembered:
    """What is known of a show; `found` is None while it sells nothing by codes."""

    found: ShowFacts | None = None
    mark: str | None = None
    codes: Codes = field(default_factory=dict)
    until_s: float = 0.0
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def means(self, code: str) -> Coded | None:
        """What a code stands for in the show."""
        sold = self.codes.get(code)
        return sold if self.found and sold and self.found.carries(sold.product) else None


class CodeSales:
    """The use cases of codes said in chat."""

    def __init__(
        self,
        book: CodeBook,
        holding: Holding,
        shopping: Shopping,
        find_show: FindShow,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._book = book
        self._holding = holding
        self._shopping = shopping
        self._find_show = find_show
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def is_open(self, show: str) -> bool:
        """Whether the show sells by codes, once it is live; raises `NotFound`."""
        await self._show(show)
        return await self._book.is_open(show)

    async def switch(self, person: str, show: str, *, opened: bool) -> bool:
        """Sell by codes in one's own show, or no longer; raises `NotFound` or `Forbidden`."""
        found = await self._show(show)
        await self._shopping.own_store(person, found.store)
        await self._book.switch(found.store, show, opened=opened)
        self._remembered.pop(show, None)
        return opened

    async def hear(self, spoken: Spoken) -> Event | None:
        """Buy what was said, if it was an order; what its author is to hear, None for talk."""
        readings = read(spoken.line)
        if not readings:
            return None
        known = await self._known(spoken.show)
        for meant in readings:
            sold = known.means(meant.code)
            if sold is not None:
                return await self._buy(spoken, meant, sold)
        return None

    async def _buy(self, spoken: Spoken, meant: Reading, sold: Coded) -> Event:
        line = HoldLine(sku=sold.sku, quantity=meant.quantity)
        decision: stock.Decision | None = None
        try:
            decision = await self._holding.hold(spoken.buyer, spoken.key, [line], show=spoken.show)
        except Exception as error:  # noqa: BLE001 - the buyer hears that it did not work
            log.warning("a code was not sold", show=spoken.show, error=repr(error))
        return _told(spoken, meant, sold, decision)

    async def _known(self, show: str) -> _Remembered:
        known = self._remembered.get(show)
        if known is None:
            if len(self._remembered) >= SHOWS_KEPT:
                self._remembered.clear()
            known = self._remembered[show] = _Remembered()
        # Of many who speak at once, one looks.
        async with known.looking:
            now_s = self._clock()
            if known.until_s <= now_s:
                await self._look(show, known)
                known.until_s = now_s + FRESH_S
        return known

    async def _look(self, show: str, known: _Remembered) -> None:
        found = await self._find_show(show)
        if found is None or found.stage != "live" or not await self._book.is_open(show):
            known.found = None
            return
        # The mark is read first: codes that change in between are read once more.
        mark = await self._book.mark(found.store)
        if mark != known.mark:
            known.codes = await self._book.codes(found.store)
        known.found, known.mark = found, mark

    async def _show(self, show: str) -> ShowFacts:
        found = await self._find_show(show) if catalog.is_id(show) else None
        if found is None:
            raise NotFound("no such show")
        return found


def _told(spoken: Spoken, meant: Reading, sold: Coded, decision: stock.Decision | None) -> Event:
    held = decision if isinstance(decision, stock.Granted | stock.Repeated) else None
    heard = CodeHeard(
        saying=spoken.saying,
        code=meant.code,
        product=sold.product,
        sku=sold.sku,
        quantity=meant.quantity,
        outcome="held" if held else REFUSED.get(type(decision), "unavailable"),
        hold=held.holds[0] if held else None,
    )
    return code_heard(heard)
