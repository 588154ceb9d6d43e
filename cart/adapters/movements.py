"""The log of movements in PostgreSQL, and its recount.

A SKU's movements are numbered while its product is locked, so their ids are in the order of their
commits, and a recount may go on from the last one it has seen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.copying import copy_rows
from cart.adapters.database import Database
from cart.adapters.movement_tables import stock_movements
from cart.adapters.tables import among
from cart.core.movement import Movement, Reason
from cart.core.recount import Drift, Tally, drift

ADVISORY_LOCK: Final = 0x72656375_636F756E
"""The key of the lock: "recucoun" in ASCII."""

BY_KEY: Final = (Reason.RESTOCK, Reason.CORRECTION, Reason.IMPORT)
"""Reasons whose `ref` is the idempotency key of a seller's request."""

WHOLE_WITHIN_S: Final = 600.0
"""A recount of everything that takes longer fails."""

NEW: Final = ("sku", "reason", "ref", "free_change", "held_change", "sold_change")

_PAGE: Final = text(
    "SELECT s.id, s.free, s.held, s.sold,"
    " coalesce(r.free, 0) + coalesce(m.free, 0) AS logged_free,"
    " coalesce(r.held, 0) + coalesce(m.held, 0) AS logged_held,"
    " coalesce(r.sold, 0) + coalesce(m.sold, 0) AS logged_sold, m.last"
    " FROM (SELECT * FROM skus WHERE id > :after ORDER BY id LIMIT :limit) AS s"
    " LEFT JOIN stock_recounts r ON r.sku = s.id"
    " LEFT JOIN LATERAL (SELECT sum(free_change) AS free, sum(held_change) AS held,"
    " sum(sold_change) AS sold, max(id) AS last FROM stock_movements"
    " WHERE sku = s.id AND id > coalesce(r.movement, 0)) AS m ON true"
    " ORDER BY s.id"
)

_REMEMBER: Final = text(
    "INSERT INTO stock_recounts (sku, movement, free, held, sold)"
    " SELECT * FROM unnest(CAST(:skus AS text[]), CAST(:movements AS bigint[]),"
    " CAST(:free AS bigint[]), CAST(:held AS bigint[]), CAST(:sold AS bigint[]))"
    " ON CONFLICT (sku) DO UPDATE SET movement = excluded.movement, free = excluded.free,"
    " held = excluded.held, sold = excluded.sold"
)

_WHOLE: Final = text(
    "SELECT s.id, s.free, s.held, s.sold, coalesce(m.free, 0) AS logged_free,"
    " coalesce(m.held, 0) AS logged_held, coalesce(m.sold, 0) AS logged_sold,"
    " coalesce(h.held, 0) AS counted_held, coalesce(h.sold, 0) AS counted_sold"
    " FROM skus s LEFT JOIN (SELECT sku, sum(free_change) AS free, sum(held_change) AS held,"
    " sum(sold_change) AS sold FROM stock_movements GROUP BY sku) AS m ON m.sku = s.id"
    " LEFT JOIN (SELECT sku,"
    " sum(quantity) FILTER (WHERE state IN ('held', 'ordered', 'paying')) AS held,"
    " sum(quantity) FILTER (WHERE state = 'sold') AS sold FROM holds GROUP BY sku) AS h"
    " ON h.sku = s.id ORDER BY s.id"
)


async def log(connection: AsyncConnection, movements: Sequence[Movement]) -> None:
    """Add movements of locked products to the log."""
    rows = ((one.sku, one.reason.value, one.ref, one.free, one.held, one.sold) for one in movements)
    await copy_rows(connection, stock_movements, NEW, rows)


async def made_by_key(
    connection: AsyncConnection, skus: Sequence[str], key: str
) -> Mapping[str, int]:
    """What a seller's request with this key changed of the free units, by SKU."""
    query = select(stock_movements.c.sku, stock_movements.c.free_change).where(
        among(stock_movements.c.sku, skus),
        stock_movements.c.ref == key,
        stock_movements.c.reason.in_(BY_KEY),
    )
    return {row.sku: row.free_change for row in await connection.execute(query)}


class SqlRecounts:
    """Counters compared with the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, after: str, limit: int) -> Sequence[Tally] | None:
        """SKUs by id from the one after `after`; None while another node counts."""
        async with self._database.writing() as connection:
            lock = text(f"SELECT pg_try_advisory_xact_lock({ADVISORY_LOCK})")
            if not await connection.scalar(lock):
                return None
            rows = (await connection.execute(_PAGE, {"after": after, "limit": limit})).all()
            fresh = [row for row in rows if row.last is not None]
            if fresh:
                await connection.execute(
                    _REMEMBER,
                    {
                        "skus": [row.id for row in fresh],
                        "movements": [row.last for row in fresh],
                        "free": [int(row.logged_free) for row in fresh],
                        "held": [int(row.logged_held) for row in fresh],
                        "sold": [int(row.logged_sold) for row in fresh],
                    },
                )
        return [_tally(row) for row in rows]

    async def whole(self) -> Sequence[Drift]:
        """Every SKU's counters beside its whole log and its holds; those that differ."""
        async with self._database.reading(WHOLE_WITHIN_S) as connection:
            rows = (await connection.execute(_WHOLE)).all()
        found = [drift(_tally(row, (row.counted_held, row.counted_sold))) for row in rows]
        return [one for one in found if one is not None]


def _tally(row: Row[Any], holds: tuple[int, int] | None = None) -> Tally:
    return Tally(
        sku=row.id,
        counters=(row.free, row.held, row.sold),
        logged=(int(row.logged_free), int(row.logged_held), int(row.logged_sold)),
        holds=None if holds is None else (int(holds[0]), int(holds[1])),
    )
