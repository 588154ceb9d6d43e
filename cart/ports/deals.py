"""Deals and codes: their books, and what is known of shows."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cart.core.deal import Deal
from cart.ports.answers import KeyUsed


@dataclass(frozen=True, slots=True)
class ShowFacts:
    """A show as deals need it: its store, its stage (`scheduled`, `live` or `ended`), and the
    products it carries; none named: all of the store."""

    store: str
    stage: str
    lineup: Sequence[str]

    def carries(self, product: str) -> bool:
        """Whether the product is in the show."""
        return not self.lineup or product in self.lineup


FindShow = Callable[[str], Awaitable[ShowFacts | None]]
"""The show of an id; None where there is none."""


@dataclass(frozen=True, slots=True)
class DealOpen:
    """The product has an open deal already."""

    deal: str


class DealBook(Protocol):
    """Deals. Each is changed under its product's lock, one version on, and the show is told."""

    async def earlier(self, deal: Deal, key: str) -> Deal | KeyUsed | None:
        """The one kept under this key of the show's, as it is now, if it was wanted alike."""

    async def add(
        self, deal: Deal, key: str, countdown_ms: int | None
    ) -> Deal | DealOpen | KeyUsed:
        """Keep a new deal, or give the one kept under this key of the show's.

        It starts after the countdown, at once for 0; None: it waits. What an earlier deal of the
        product still shut is open again.
        """

    async def change(self, deal: str, change: Callable[[Deal, int], Deal | None]) -> Deal | None:
        """The deal after a change at the database's time; None when that cannot be."""

    async def deal(self, deal: str) -> Deal | None:
        """The deal of that id, as it is now."""

    async def deals_of(self, show: str, limit: int) -> tuple[Sequence[Deal], int]:
        """A show's deals as they are now, newest first, and the time."""

    async def ruling(self, show: str) -> tuple[Sequence[Deal], int]:
        """A show's deals that have a say in a price, oldest first, and the time."""

    async def due(self, limit: int) -> Sequence[str]:
        """Deals that started or ended by the clock, and are not written so yet."""

    async def shows(self) -> Sequence[str]:
        """Shows that have deals with a say."""


@dataclass(frozen=True, slots=True)
class Coded:
    """What a code stands for."""

    sku: str
    product: str


Codes = Mapping[str, Coded]
"""What a store's codes stand for."""


class CodeBook(Protocol):
    """Codes, and which shows sell by them; a show does unless somebody has switched it off."""

    async def codes(self, store: str) -> Codes:
        """The store's codes."""

    async def mark(self, store: str) -> str:
        """What is the same while the store's codes are, and is cheaper than they."""

    async def is_open(self, show: str) -> bool:
        """Whether the show sells by codes."""

    async def switch(self, store: str, show: str, *, opened: bool) -> None:
        """Sell by codes in a store's show, or no longer; the show is told."""
