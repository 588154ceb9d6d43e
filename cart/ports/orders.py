"""Orders, and what makes their price: coupons, points and addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cart.core.address import Address
from cart.core.coupon import Coupon
from cart.core.hold import Hold
from cart.core.order import MixedStores, NotHeld, Order, Recipient, TooLate
from cart.core.points import Entry, Wallet
from cart.core.points_lot import Expiring
from cart.core.quote import CouponUnfit, PointsShort, Quote, Wish
from cart.ports.answers import CodeTaken, Full, KeyUsed


@dataclass(frozen=True, slots=True)
class Placement:
    """An order somebody wants to place; `digest` tells equal requests from different ones."""

    id: str
    buyer: str
    key: str
    digest: str
    holds: tuple[str, ...]
    recipient: Recipient
    wish: Wish
    total_minor: int
    pay_within_ms: int


@dataclass(frozen=True, slots=True)
class Placed:
    """The order, new or from an earlier request with the same key."""

    order: Order


@dataclass(frozen=True, slots=True)
class NoSuchHold:
    """One of the holds is not the buyer's."""


@dataclass(frozen=True, slots=True)
class PriceDiffers:
    """The order would cost something else than the buyer was told: the quote as it is now."""

    quote: Quote


Unquotable = NoSuchHold | NotHeld | TooLate | MixedStores | CouponUnfit | PointsShort


Place = Placed | KeyUsed | PriceDiffers | Unquotable


class OrderBook(Protocol):
    """Orders."""

    async def quote(self, buyer: str, holds: Sequence[str], wish: Wish) -> Quote | Unquotable:
        """What an order of a buyer's holds would cost now."""

    async def held(self, buyer: str, store: str) -> tuple[Sequence[Hold], int]:
        """A buyer's HELD units of a store, oldest first, and the time."""

    async def place(self, placement: Placement) -> Place:
        """Turn a buyer's holds into an order."""

    async def order(self, order: str) -> Order | None:
        """The order of that id."""

    async def orders_of(self, buyer: str, limit: int) -> Sequence[Order]:
        """A buyer's orders, newest first."""

    async def has_bought(self, buyer: str, store: str) -> bool:
        """Whether an order of this buyer in the store is paid."""

    async def orders_for(self, store: str, before: str, limit: int) -> Sequence[Order]:
        """A store's orders, newest first; with `before`, an id, those that came before it."""

    async def sell_free(self, order: str) -> Order | None:
        """Claim and sell at once an order that costs nothing; None when it cannot be paid now."""

    async def cancel(self, order: str) -> Order | None:
        """Cancel it and return its units, money too if there was any; None when too late."""


class CouponBook(Protocol):
    """Stores' coupons."""

    async def add(self, coupon: Coupon, limit: int) -> Coupon | CodeTaken | Full:
        """Keep a new coupon; the same terms again are the coupon that has them."""

    async def coupons_of(self, store: str) -> Sequence[Coupon]:
        """A store's coupons, newest first."""

    async def end(self, store: str, coupon: str) -> Coupon | None:
        """End it, now and for good; None where the store has no such coupon."""


class PointsBook(Protocol):
    """Buyers' points."""

    async def wallet(self, buyer: str) -> Wallet:
        """A buyer's points."""

    async def entries(self, buyer: str, limit: int) -> Sequence[Entry]:
        """What happened to a buyer's points, newest first."""

    async def ripen(self, limit: int) -> int:
        """Make up to `limit` orders' earnings ready whose time has come; how many it was."""

    async def expire(self, limit: int) -> int:
        """Take up to `limit` orders' earnings whose time is over; how many it was."""

    async def expiring(self, buyer: str, within_days: int, limit: int) -> Sequence[Expiring]:
        """A buyer's points that expire within so many days, the first first."""


class AddressBook(Protocol):
    """Where people's parcels go."""

    async def addresses_of(self, person: str) -> Sequence[Address]:
        """A person's addresses: the usual one, then the others, oldest first."""

    async def add(
        self, address: str, person: str, recipient: Recipient, limit: int, *, usual: bool
    ) -> Address | Full:
        """Keep a new address; one the person has already is that one. The first is the usual."""

    async def replace(
        self, person: str, address: str, recipient: Recipient, *, usual: bool
    ) -> Address | None:
        """Change one; None where the person has no such address, or has the new one twice then."""

    async def remove(self, person: str, address: str) -> None:
        """Forget one; of the others the oldest is the usual one if this was it."""

    async def forget(self, person: str) -> None:
        """Forget all of a person's."""
