"""A store's coupons: its owner makes and ends them; who may use one is core's to say."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from cart.core import catalog
from cart.core.coupon import Coupon, CouponTerms, fault, tidy_code
from cart.errors import Conflict, Invalid, NotFound, TooMany
from cart.ports.answers import CodeTaken, Full
from cart.ports.orders import CouponBook
from cart.shopping import Shopping, new_id

COUPONS_PER_STORE_LIMIT: Final = 500
"""Most coupons of a store, ended ones included; more are refused."""


class Couponing:
    """The use cases around coupons."""

    def __init__(
        self, book: CouponBook, shopping: Shopping, *, make_id: Callable[[], str] = new_id
    ) -> None:
        self._book = book
        self._shopping = shopping
        self._make_id = make_id

    async def make(self, person: str, slug: str, terms: CouponTerms) -> Coupon:
        """Make a coupon; the same terms again are the same coupon.

        Raises `NotFound`, `Forbidden`, `Invalid`, `TooMany`, or `Conflict` when the code has other
        terms.
        """
        store = await self._shopping.own_store(person, slug)
        wrong = fault(terms)
        if wrong is not None:
            raise Invalid("does not go with the rest of the coupon", field=wrong)
        if terms.show is not None and not catalog.is_id(terms.show):
            raise Invalid("a show's id", field="show")
        kept = msgspec.structs.replace(terms, code=tidy_code(terms.code))
        coupon = Coupon(id=self._make_id(), store=store.slug, terms=kept, used=0, ended=False)
        match await self._book.add(coupon, COUPONS_PER_STORE_LIMIT):
            case CodeTaken():
                raise Conflict("another coupon of the store has this code")
            case Full():
                raise TooMany("coupons in one store", limit=COUPONS_PER_STORE_LIMIT)
            case made:
                return made

    async def coupons_of(self, person: str, slug: str) -> Sequence[Coupon]:
        """A store's coupons, newest first, for its owner; raises `NotFound` or `Forbidden`."""
        store = await self._shopping.own_store(person, slug)
        return await self._book.coupons_of(store.slug)

    async def end(self, person: str, slug: str, coupon: str) -> Coupon:
        """End a coupon for good; orders that have it keep it. Raises `NotFound`, `Forbidden`."""
        store = await self._shopping.own_store(person, slug)
        ended = await self._book.end(store.slug, coupon) if catalog.is_id(coupon) else None
        if ended is None:
            raise NotFound("no such coupon")
        return ended
