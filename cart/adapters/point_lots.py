"""Lots of points in PostgreSQL. Their buyer's purse is their lock."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.checkout_tables import point_lots
from cart.adapters.tables import milliseconds
from cart.core.points import PointsReason, Purse, Transfer
from cart.core.points_lot import Expiring, Lot, Lots, follow

LOT: Final = (point_lots, milliseconds(point_lots.c.expires_at).label("expires_at_ms"))

_LOTS: Final = text(
    "SELECT found.*, floor(extract(epoch FROM until) * 1000)::bigint AS expires_at_ms,"
    " floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms FROM ("
    "SELECT order_id, buyer, store, ready_minor, expires_at AS until FROM point_lots"
    " WHERE buyer = ANY(:buyers) AND (ready_minor > 0 OR order_id IN"
    " (SELECT lot FROM point_uses WHERE order_id = ANY(:orders)))"
    " UNION ALL SELECT order_id, buyer, store, 0, ripe_at + days * interval '1 day'"
    " FROM point_earnings WHERE order_id = ANY(:ripening)) AS found"
)

_USES: Final = text(
    "SELECT order_id, lot, amount_minor FROM point_uses"
    " WHERE order_id = ANY(:orders) AND amount_minor > 0"
)

_KEEP: Final = text(
    "INSERT INTO point_lots (order_id, buyer, store, ready_minor, expires_at)"
    " SELECT order_id, buyer, store, ready, to_timestamp(until / 1000.0)"
    " FROM unnest(CAST(:orders AS text[]), CAST(:buyers AS text[]), CAST(:stores AS text[]),"
    " CAST(:ready AS bigint[]), CAST(:until AS bigint[]))"
    " AS new(order_id, buyer, store, ready, until)"
    " ON CONFLICT (order_id) DO UPDATE SET ready_minor = excluded.ready_minor,"
    " expires_at = excluded.expires_at"
)

_KEEP_USES: Final = text(
    "INSERT INTO point_uses (order_id, lot, amount_minor)"
    " SELECT * FROM unnest(CAST(:orders AS text[]), CAST(:lots AS text[]),"
    " CAST(:amounts AS bigint[]))"
    " ON CONFLICT (order_id, lot) DO UPDATE SET amount_minor = excluded.amount_minor"
)


def to_lot(row: Row[Any]) -> Lot:
    """A row of `LOT` as a lot."""
    return Lot(row.order_id, row.buyer, row.store, int(row.ready_minor), row.expires_at_ms)


async def follow_lots(connection: AsyncConnection, transfers: Sequence[Transfer]) -> None:
    """Let the lots follow transfers between locked purses."""
    moving = [one for one in transfers if Purse.READY in (one.source, one.target)]
    if not moving:
        return
    orders = sorted({one.order for one in moving})
    buyers = sorted({one.buyer for one in moving})
    ripening = [one.order for one in moving if one.reason == PointsReason.RIPEN]
    asked = {"buyers": buyers, "orders": orders, "ripening": ripening}
    rows = (await connection.execute(_LOTS, asked)).all()
    assert rows, "ready points lie in lots"
    found = [to_lot(row) for row in rows]
    uses = await connection.execute(_USES, {"orders": orders})
    before = Lots(
        {lot.order: lot for lot in found},
        {(row.order_id, row.lot): row.amount_minor for row in uses},
    )
    after = follow(before, moving, rows[0].now_ms)
    changed = [lot for one, lot in after.lots.items() if lot != before.lots[one]]
    await connection.execute(
        _KEEP,
        {
            "orders": [lot.order for lot in changed],
            "buyers": [lot.buyer for lot in changed],
            "stores": [lot.store for lot in changed],
            "ready": [lot.ready_minor for lot in changed],
            "until": [lot.expires_at_ms for lot in changed],
        },
    )
    used = {key: n for key, n in after.uses.items() if n != before.uses.get(key)}
    if used:
        said = {
            "orders": [order for order, _ in used],
            "lots": [lot for _, lot in used],
            "amounts": [*used.values()],
        }
        await connection.execute(_KEEP_USES, said)


async def read_expiring(
    connection: AsyncConnection, buyer: str, within_days: int, limit: int
) -> Sequence[Expiring]:
    """A buyer's lots that expire within so many days, the first first."""
    soon = func.clock_timestamp() + func.make_interval(0, 0, 0, within_days)
    query = select(*LOT).where(point_lots.c.buyer == buyer, point_lots.c.ready_minor > 0)
    query = query.where(point_lots.c.expires_at <= soon).order_by(point_lots.c.expires_at)
    return [
        Expiring(amount_minor=row.ready_minor, expires_at_ms=row.expires_at_ms)
        for row in await connection.execute(query.limit(limit))
    ]
