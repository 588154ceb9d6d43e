"""Auctions: their book, and who may bid."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cart.core.auction import Auction, Offer, Own, Refused
from cart.core.stock import LimitReached, NoSuchSku, SoldOut
from cart.ports.answers import KeyUsed


@dataclass(frozen=True, slots=True)
class Lot:
    """An auction somebody wants to open; `digest` tells equal requests from different ones.

    `hold`: what the hold will be called in which the lot waits. `start_minor` is for one unit.
    """

    id: str
    hold: str
    show: str
    store: str
    seller: str
    key: str
    digest: str
    sku: str
    quantity: int
    start_minor: int
    increments: str
    starts_in_ms: int
    length_ms: int
    counter_bid_ms: int
    sudden_death: bool
    claim_ms: int
    to_runner_up: bool


@dataclass(frozen=True, slots=True)
class Opened:
    """The auction, new or from an earlier request with the same key."""

    auction: Auction


@dataclass(frozen=True, slots=True)
class AnotherOpen:
    """The show has an open auction; it has one at a time."""


Opening = Opened | KeyUsed | AnotherOpen | NoSuchSku | LimitReached | SoldOut


@dataclass(frozen=True, slots=True)
class BidTaken:
    """The bid counts, now or since an earlier request with the same key."""

    auction: Auction
    own: Own


@dataclass(frozen=True, slots=True)
class Bid:
    """An offer, and the idempotency key it was sent with."""

    key: str
    offer: Offer


BidAnswer = BidTaken | KeyUsed | LimitReached | Refused


class AuctionBook(Protocol):
    """Auctions: their lots are held from the start on, every bid is decided on a locked row."""

    async def earlier(self, lot: Lot) -> Opened | KeyUsed | None:
        """What the seller opened with the lot's key."""

    async def open(self, lot: Lot) -> Opening:
        """Open an auction and hold its lot, or neither."""

    async def bid(self, auction: str, bids: Sequence[Bid]) -> Sequence[BidAnswer]:
        """Decide bids in their order, in one transaction, in an auction that exists."""

    async def cancel(self, auction: str) -> Auction | None:
        """Call an auction that exists off and free its lot; None when it cannot be any more."""

    async def end(self, auction: str) -> bool:
        """End an auction whose time is over, its lot won or free again; whether this call did."""

    async def call_off(self, show: str) -> None:
        """A show is over: its open auction is ended where its time is over, else cancelled."""

    async def shows(self) -> Sequence[str]:
        """Shows that have an open auction."""

    async def due(self, limit: int) -> Sequence[str]:
        """Auctions whose time is over, the first to end first."""

    async def auction(self, auction: str) -> Auction | None:
        """The auction of that id."""

    async def newest(self, show: str, limit: int) -> Sequence[Auction]:
        """A show's auctions, newest first."""

    async def own(self, auction: str, buyer: str) -> Own | None:
        """How a buyer fares in an auction; None when it has not bid."""

    async def forget(self, bidder: str) -> None:
        """Take a bidder's name out of all auctions."""


AdmitBidder = Callable[[str, str], Awaitable[str | None]]
"""The name under which a show's viewers see an account bid; None: it may not bid there."""
