"""Money, points and coupons, counted anew: what came and went, and what the orders and purses say.

Nothing here changes anything. An order adds up when exactly its total came for it, once, if it is
or was paid; when no more went back than came; when what its payment says of refunds is what the
refunds say; and when a cancelled order has kept nothing but what could not be given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

DRIFTS_LIMIT: Final = 100
"""Most drifts of each kind told at once."""

_COUNT: Final = text(
    """
    WITH came AS (
        SELECT order_id, count(*) AS times, sum(amount_minor) AS paid_minor,
               sum(refunded_minor) AS told_minor
        FROM payments WHERE state = 'confirmed' GROUP BY order_id
    ), went AS (
        SELECT order_id,
               sum(amount_minor) FILTER (WHERE state <> 'failed') AS back_minor,
               bool_or(state = 'failed') AS any_failed
        FROM refunds GROUP BY order_id
    ), counted AS (
        SELECT orders.id, orders.state, orders.total_minor,
               coalesce(times, 0) AS times, coalesce(paid_minor, 0) AS paid_minor,
               coalesce(told_minor, 0) AS told_minor, coalesce(back_minor, 0) AS back_minor,
               coalesce(any_failed, false) AS any_failed
        FROM orders LEFT JOIN came ON came.order_id = orders.id
        LEFT JOIN went ON went.order_id = orders.id
    )
    SELECT id, state, total_minor, paid_minor, back_minor FROM counted
    WHERE times > 1 OR told_minor <> back_minor OR back_minor > paid_minor
       OR (state = 'paid' AND paid_minor <> total_minor)
       OR (state IN ('placed', 'paying', 'expired') AND paid_minor > 0)
       OR (state = 'cancelled' AND paid_minor <> back_minor AND NOT any_failed
           AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.order_id = counted.id
                           AND r.restocked AND r.state <> 'failed'))
    ORDER BY id LIMIT :limit
    """
)

_POINTS: Final = text(
    """
    WITH moves AS (
        SELECT buyer, target AS purse, amount_minor FROM point_transfers
        UNION ALL SELECT buyer, source, -amount_minor FROM point_transfers
    ), told AS (
        SELECT buyer, coalesce(sum(amount_minor) FILTER (WHERE purse = 'ready'), 0) AS ready,
               coalesce(sum(amount_minor) FILTER (WHERE purse = 'pending'), 0) AS pending,
               coalesce(sum(amount_minor) FILTER (WHERE purse = 'reserved'), 0) AS reserved
        FROM moves GROUP BY buyer
    ), laid AS (
        SELECT buyer, sum(ready_minor) AS lots FROM point_lots GROUP BY buyer
    ), compared AS (
        SELECT buyer, coalesce(ready_minor, 0) - coalesce(ready, 0) AS ready_minor,
               coalesce(pending_minor, 0) - coalesce(pending, 0) AS pending_minor,
               coalesce(reserved_minor, 0) - coalesce(reserved, 0) AS reserved_minor,
               coalesce(ready_minor, 0) - coalesce(lots, 0) AS lots_minor
        FROM point_wallets FULL JOIN told USING (buyer) FULL JOIN laid USING (buyer)
    )
    SELECT * FROM compared
    WHERE ready_minor <> 0 OR pending_minor <> 0 OR reserved_minor <> 0 OR lots_minor <> 0
    ORDER BY buyer LIMIT :limit
    """
)

_COUPONS: Final = text(
    """
    SELECT id, used - uses AS used FROM (
        SELECT id, used, (SELECT count(*) FROM coupon_uses u
                          WHERE u.coupon = coupons.id AND NOT u.given_back) AS uses
        FROM coupons
    ) AS counted
    WHERE used <> uses ORDER BY id LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class MoneyDrift:
    """An order whose money does not add up."""

    order: str
    state: str
    total_minor: int
    paid_minor: int
    back_minor: int


@dataclass(frozen=True, slots=True)
class PointsDrift:
    """A buyer whose purses are not what the journal says: by how many points each is too high.

    `lots_minor`: by how many what is ready is more than its lots.
    """

    buyer: str
    ready_minor: int
    pending_minor: int
    reserved_minor: int
    lots_minor: int


@dataclass(frozen=True, slots=True)
class CouponDrift:
    """A coupon that is said to be used so many times more often than it is."""

    coupon: str
    used: int


async def recount_money(engine: AsyncEngine) -> Sequence[MoneyDrift]:
    """The orders whose money does not add up; none, if all is well."""
    return [
        MoneyDrift(row.id, row.state, row.total_minor, int(row.paid_minor), int(row.back_minor))
        for row in await _rows(engine, _COUNT)
    ]


async def recount_points(engine: AsyncEngine) -> Sequence[PointsDrift]:
    """The buyers whose points do not add up; none, if all is well."""
    return [
        PointsDrift(
            row.buyer,
            *(int(row.ready_minor), int(row.pending_minor)),
            *(int(row.reserved_minor), int(row.lots_minor)),
        )
        for row in await _rows(engine, _POINTS)
    ]


async def recount_coupons(engine: AsyncEngine) -> Sequence[CouponDrift]:
    """The coupons whose uses do not add up; none, if all is well."""
    return [CouponDrift(row.id, row.used) for row in await _rows(engine, _COUPONS)]


async def _rows(engine: AsyncEngine, query: TextClause) -> Sequence[Row[Any]]:
    async with engine.connect() as connection:
        return (await connection.execute(query, {"limit": DRIFTS_LIMIT})).all()
