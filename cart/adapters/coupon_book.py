"""Coupons in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cart.adapters.checkout_tables import coupons
from cart.adapters.database import Database
from cart.adapters.tables import stores
from cart.core.coupon import Coupon, CouponTerms
from cart.ports.answers import CodeTaken, Full


def to_coupon(row: Row[Any]) -> Coupon:
    """A row of coupons as a coupon."""
    terms = {name: getattr(row, name) for name in CouponTerms.__struct_fields__}
    return Coupon(
        id=row.id, store=row.store, terms=CouponTerms(**terms), used=row.used, ended=row.ended
    )


class SqlCouponBook:
    """Coupons in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, coupon: Coupon, limit: int) -> Coupon | CodeTaken | Full:
        """Keep a new coupon; the same terms again are the coupon that has them."""
        terms = {name: getattr(coupon.terms, name) for name in CouponTerms.__struct_fields__}
        lock = select(stores.c.slug).where(stores.c.slug == coupon.store)
        known = coupons.c.store == coupon.store
        fresh = upsert(coupons).values(id=coupon.id, store=coupon.store, **terms)
        fresh = fresh.on_conflict_do_nothing(index_elements=["store", "code"])
        async with self._database.writing() as connection:
            await connection.execute(lock.with_for_update(key_share=True))
            same = select(coupons).where(known, coupons.c.code == coupon.terms.code)
            row = (await connection.execute(same)).first()
            if row is not None:
                earlier = to_coupon(row)
                return earlier if earlier.terms == coupon.terms else CodeTaken()
            if (await connection.scalar(select(func.count()).where(known)) or 0) >= limit:
                return Full()
            await connection.execute(fresh)
        return coupon

    async def coupons_of(self, store: str) -> Sequence[Coupon]:
        """A store's coupons, newest first."""
        query = select(coupons).where(coupons.c.store == store)
        async with self._database.reading() as connection:
            rows = await connection.execute(query.order_by(coupons.c.created_at.desc()))
            return [to_coupon(row) for row in rows]

    async def end(self, store: str, coupon: str) -> Coupon | None:
        """End it, now and for good; None where the store has no such coupon."""
        change = update(coupons).where(coupons.c.id == coupon, coupons.c.store == store)
        async with self._database.writing() as connection:
            ended = change.values(ended=True).returning(coupons)
            row = (await connection.execute(ended)).first()
        return None if row is None else to_coupon(row)
