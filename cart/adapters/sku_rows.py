"""Products and their SKUs as the ledger reads them: locked first, read in the next statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Row, Text, any_, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.tables import milliseconds, products, skus
from cart.core.stock import Counters, HoldRequest, Sku

CLOCK: Final = milliseconds(func.clock_timestamp())

_NOW: Final = select(CLOCK)

LOCK: Final = text(
    "SELECT id FROM products WHERE id = ANY(CAST(:ids AS text[])) ORDER BY id FOR NO KEY UPDATE"
)

LOCK_ASKED: Final = text(
    "SELECT id FROM products"
    " WHERE id IN (SELECT product FROM skus WHERE skus.id = ANY(CAST(:ids AS text[])))"
    " ORDER BY id FOR NO KEY UPDATE OF products"
)

_SKUS: Final = (
    select(
        *(skus.c.id, skus.c.product, skus.c.store, skus.c.options, skus.c.price_minor),
        *(skus.c.free, skus.c.held, skus.c.sold),
        *(products.c.title, products.c.currency, products.c.limit_per_buyer, products.c.version),
    )
    .join(products, products.c.id == skus.c.product)
    .where(skus.c.product == any_(bindparam("products", type_=ARRAY(Text))))
    .order_by(skus.c.product, skus.c.position)
)

_COUNT: Final = text(
    "WITH told AS (UPDATE products SET version = version + 1 WHERE id = ANY(:products))"
    " UPDATE skus SET on_hand = skus.on_hand + new.change, free = new.free, held = new.held,"
    " sold = new.sold FROM unnest(CAST(:ids AS text[]), CAST(:changes AS int[]),"
    " CAST(:free AS int[]), CAST(:held AS int[]), CAST(:sold AS int[]))"
    " AS new(id, change, free, held, sold)"
    " WHERE skus.id = new.id"
)


async def read_clock(connection: AsyncConnection) -> int:
    """The database's time in milliseconds, of this moment and not of the transaction's begin."""
    return int((await connection.execute(_NOW)).scalar_one())


async def lock_skus(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Sku]:
    """Lock products in id order; all their SKUs by id."""
    return await _read(connection, await connection.execute(LOCK, {"ids": list(set(ids))}))


async def lock_asked(
    connection: AsyncConnection, requests: Sequence[HoldRequest]
) -> dict[str, Sku]:
    """Lock the products that requests ask for; all their SKUs by id."""
    wanted = {line.sku for request in requests for line in request.lines}
    return await _read(connection, await connection.execute(LOCK_ASKED, {"ids": list(wanted)}))


async def count_units(
    connection: AsyncConnection, before: Mapping[str, Sku], changed: Mapping[str, Sku]
) -> None:
    """Write the counters of SKUs that changed, and raise their products' versions."""
    now = [sku.counters for sku in changed.values()]
    await connection.execute(
        _COUNT,
        {
            "products": sorted({sku.product for sku in changed.values()}),
            "ids": list(changed),
            "changes": [
                sku.counters.on_hand - before[one].counters.on_hand for one, sku in changed.items()
            ],
            "free": [counters.free for counters in now],
            "held": [counters.held for counters in now],
            "sold": [counters.sold for counters in now],
        },
    )


async def _read(connection: AsyncConnection, locked: Iterable[Row[Any]]) -> dict[str, Sku]:
    """A further statement sees what the last holder of the locks wrote."""
    rows = await connection.execute(_SKUS, {"products": [row.id for row in locked]})
    return {row.id: _to_sku(row) for row in rows}


def _to_sku(row: Any) -> Sku:
    return Sku(
        id=row.id,
        product=row.product,
        store=row.store,
        title=row.title,
        options=tuple(row.options),
        price_minor=row.price_minor,
        currency=row.currency,
        limit_per_buyer=row.limit_per_buyer,
        version=row.version,
        counters=Counters(row.free, row.held, row.sold),
    )
