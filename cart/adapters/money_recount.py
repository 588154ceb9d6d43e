"""The money, counted anew: what came, what went back, and what the orders say of it.

Nothing here changes anything. An order adds up when exactly its total came for it, once, if it is
or was paid; when no more went back than came; when what its payment says of refunds is what the
refunds say; and when a cancelled order has kept nothing but what could not be given back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

DRIFTS_LIMIT: Final = 100
"""Most orders told at once."""

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


@dataclass(frozen=True, slots=True)
class MoneyDrift:
    """An order whose money does not add up."""

    order: str
    state: str
    total_minor: int
    paid_minor: int
    back_minor: int


async def recount_money(engine: AsyncEngine) -> Sequence[MoneyDrift]:
    """The orders whose money does not add up; none, if all is well."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_COUNT, {"limit": DRIFTS_LIMIT})).all()
    return [
        MoneyDrift(row.id, row.state, row.total_minor, row.paid_minor, row.back_minor)
        for row in rows
    ]
