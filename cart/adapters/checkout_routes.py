"""Before the order, over HTTP: the basket, its quote, the buyer's points and addresses, and the
seller's coupons."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from cart.adapters.service import Cart
from cart.adapters.wire import Holds, NewQuote
from cart.core.address import Address
from cart.core.coupon import Coupon, CouponTerms
from cart.core.order import Recipient
from cart.core.points import Entry, Wallet
from cart.core.points_lot import SOON_DAYS, Expiring
from cart.core.quote import Quote

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]

ENTRIES_LISTED_LIMIT: Final = 100
"""Most entries of points in one answer, the newest."""


class NewAddress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where parcels go; `usual`: propose it from now on."""

    recipient: Recipient
    usual: bool = False


class Addresses(Struct, frozen=True, kw_only=True):
    """A person's addresses: the usual one, then the others, oldest first."""

    addresses: Sequence[Address]


class Points(Struct, frozen=True, kw_only=True):
    """A person's points, those that expire in the next 30 days by day, and what happened to them,
    newest first."""

    wallet: Wallet
    expiring: Sequence[Expiring]
    entries: Sequence[Entry]


class Coupons(Struct, frozen=True, kw_only=True):
    """A store's coupons, newest first."""

    coupons: Sequence[Coupon]


def operations(cart: Cart) -> list[Operation]:
    """The typed operations."""
    return [*_basket_operations(cart), *_address_operations(cart), *_coupon_operations(cart)]


def _basket_operations(cart: Cart) -> list[Operation]:
    async def basket(person: str, slug: str) -> Holds:
        """What you hold in a store and have not ordered yet."""
        holds, now_ms = await cart.checkout.held(person, slug)
        return Holds(holds=holds, now_ms=now_ms)

    async def quote(person: str, body: NewQuote) -> Quote:
        """What an order of your holds would cost now, to the last won."""
        return await cart.checkout.quote(
            person,
            holds=body.holds,
            coupon=body.coupon,
            points_minor=body.points_minor,
            postcode=body.postcode,
        )

    async def points(person: str) -> Points:
        """Your points, worth a won each."""
        entries = await cart.points.entries(person, ENTRIES_LISTED_LIMIT)
        expiring = await cart.points.expiring(person, SOON_DAYS, ENTRIES_LISTED_LIMIT)
        wallet = await cart.points.wallet(person)
        return Points(wallet=wallet, expiring=expiring, entries=entries)

    return [
        ("GET", "/stores/{slug}/basket", basket, 200),
        ("POST", "/quotes", quote, 200),
        ("GET", "/me/points", points, 200),
    ]


def _address_operations(cart: Cart) -> list[Operation]:
    book = cart.addressing

    async def list_addresses(person: str) -> Addresses:
        """Where your parcels go."""
        return Addresses(addresses=await book.addresses_of(person))

    async def add_address(person: str, body: NewAddress) -> Address:
        """Keep an address; one you have already is that one."""
        return await book.add(person, body.recipient, usual=body.usual)

    async def replace_address(
        person: str,
        id: str,  # noqa: A002 - the path's name
        body: NewAddress,
    ) -> Address:
        """Change an address."""
        return await book.replace(person, id, body.recipient, usual=body.usual)

    async def remove_address(person: str, id: str) -> None:  # noqa: A002 - the path's name
        """Forget an address."""
        await book.remove(person, id)

    async def forget_addresses(person: str) -> None:
        """Forget all your addresses; what was ordered keeps where it went."""
        await book.forget(person)

    return [
        ("GET", "/me/addresses", list_addresses, 200),
        ("POST", "/me/addresses", add_address, 201),
        ("DELETE", "/me/addresses", forget_addresses, 204),
        ("PUT", "/me/addresses/{id}", replace_address, 200),
        ("DELETE", "/me/addresses/{id}", remove_address, 204),
    ]


def _coupon_operations(cart: Cart) -> list[Operation]:
    async def list_coupons(person: str, slug: str) -> Coupons:
        """Your store's coupons."""
        return Coupons(coupons=await cart.couponing.coupons_of(person, slug))

    async def make_coupon(person: str, slug: str, body: CouponTerms) -> Coupon:
        """Make a coupon; the same terms again are the same coupon."""
        return await cart.couponing.make(person, slug, body)

    async def end_coupon(
        person: str,
        slug: str,
        id: str,  # noqa: A002 - the path's name
    ) -> Coupon:
        """End a coupon for good; orders that have it keep it."""
        return await cart.couponing.end(person, slug, id)

    return [
        ("GET", "/stores/{slug}/coupons", list_coupons, 200),
        ("POST", "/stores/{slug}/coupons", make_coupon, 201),
        ("POST", "/stores/{slug}/coupons/{id}/end", end_coupon, 200),
    ]
