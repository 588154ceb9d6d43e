"""A store's coupons: made and ended by its owner, told to nobody else."""

import asyncio

import pytest

from cart import couponing
from cart.core.coupon import Coupon, CouponTerms
from cart.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from tests.cart.shop import SELLER, STRANGER, Shop

TERMS = CouponTerms(code="bloom", percent=10)


async def test_made_once_however_often_it_is_asked(shop: Shop) -> None:
    await shop.stock(1)
    make = shop.cart.couponing.make
    made = await asyncio.gather(*(make(SELLER, "camellia", TERMS) for _ in range(4)))
    assert len({one.id for one in made}) == 1
    assert made[0].terms.code == "BLOOM"
    assert await shop.cart.couponing.coupons_of(SELLER, "camellia") == [made[0]]
    with pytest.raises(Conflict):
        await make(SELLER, "camellia", CouponTerms(code="BLOOM", percent=11))


async def test_ended_for_good(shop: Shop) -> None:
    await shop.stock(1)
    made = await shop.cart.couponing.make(SELLER, "camellia", TERMS)
    for _ in range(2):
        ended = await shop.cart.couponing.end(SELLER, "camellia", made.id)
        assert (ended.id, ended.ended) == (made.id, True)
    with pytest.raises(NotFound):
        await shop.cart.couponing.end(SELLER, "camellia", "nul\x00")


async def test_what_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.stock(1)
    book = shop.cart.couponing
    with pytest.raises(Forbidden):
        await book.make(STRANGER, "camellia", TERMS)
    with pytest.raises(Forbidden):
        await book.coupons_of(STRANGER, "camellia")
    with pytest.raises(Forbidden):
        await book.end(STRANGER, "camellia", "x")
    with pytest.raises(NotFound):
        await book.make(SELLER, "nowhere", TERMS)
    for terms in (CouponTerms(code="X1"), CouponTerms(code="X1", percent=1, show="nul\x00")):
        with pytest.raises(Invalid):
            await book.make(SELLER, "camellia", terms)
    monkeypatch.setattr(couponing, "COUPONS_PER_STORE_LIMIT", 1)
    made = await book.make(SELLER, "camellia", TERMS)
    assert isinstance(made, Coupon)
    with pytest.raises(TooMany):
        await book.make(SELLER, "camellia", CouponTerms(code="ANOTHER", percent=1))
