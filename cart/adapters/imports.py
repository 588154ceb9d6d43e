"""Sheets of products in PostgreSQL: one transaction each, all of it or nothing."""

import msgspec
from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters import shelf
from cart.adapters.database import Database
from cart.adapters.import_tables import stock_imports
from cart.adapters.moving import write_skus
from cart.adapters.sku_rows import lock_skus
from cart.adapters.tables import among, products, skus
from cart.adapters.waits import would_crowd
from cart.core.bulk import Plan, Report
from cart.core.catalog import Product, edited
from cart.core.restock import TooManyOffers
from cart.core.stock import KeyReused
from cart.ports.answers import DoneBefore
from cart.shopping import PRODUCTS_PER_STORE_LIMIT


class _Impossible(Exception):
    """The plan does not fit what is there; nothing of it is kept."""


class _Crowded(Exception):
    """Too many wait for what the plan frees; nothing of it is kept. Its one argument says so."""


class SqlImports:
    """Sheets in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def earlier(self, store: str, key: str, digest: str) -> Report | KeyReused | None:
        """What was told of this sheet when it was done; None when the key is new."""
        query = select(stock_imports.c.digest, stock_imports.c.report).where(
            stock_imports.c.store == store, stock_imports.c.idempotency_key == key
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return msgspec.convert(row.report, Report) if row.digest == digest else KeyReused()

    async def done(self, store: str, digest: str) -> bool:
        """Whether this very sheet was done in the store, under any key."""
        async with self._database.reading() as connection:
            return await _done(connection, store, digest)

    async def apply(
        self, store: str, key: str, digest: str, plan: Plan, report: Report
    ) -> Report | KeyReused | DoneBefore | TooManyOffers | None:
        """Do all of it, or what `earlier` says; None when the store's products do not allow it.

        A plan that adds is done once for each sheet, whatever its key.
        """
        told = {"digest": digest, "report": msgspec.to_builtins(report)}
        row = upsert(stock_imports).values(store=store, idempotency_key=key, **told)
        fresh = row.on_conflict_do_nothing().returning(stock_imports.c.store)
        try:
            async with self._database.writing() as connection:
                await shelf.lock_store(connection, store)
                again = plan.adds and await _done(connection, store, digest)
                if (await connection.execute(fresh)).first() is not None:
                    if again:
                        await connection.rollback()
                        return DoneBefore()
                    await _do(connection, store, key, plan)
                    return report
        except _Impossible:
            return None
        except _Crowded as crowded:
            refused: TooManyOffers = crowded.args[0]
            return refused
        return await self.earlier(store, key, digest)


async def _done(connection: AsyncConnection, store: str, digest: str) -> bool:
    same = (stock_imports.c.store == store) & (stock_imports.c.digest == digest)
    return bool(await connection.scalar(select(exists().where(same))))


async def _do(connection: AsyncConnection, store: str, key: str, plan: Plan) -> None:
    await lock_skus(connection, plan.touched)
    found = await shelf.read_products(connection, among(products.c.id, plan.touched))
    pairs = [(each, edited(each, plan.edits[each.id])) for each in found if each.id in plan.edits]
    saved = [(before, after) for before, after in pairs if isinstance(after, Product)]
    await _demand_room(connection, store, len(plan.added))
    coded = [
        sku for product in (*(after for _, after in saved), *plan.added) for sku in product.skus
    ]
    if len(saved) < len(pairs) or await shelf.code_taken(connection, store, coded):
        raise _Impossible
    # Codes may go round among products, and must be nobody's in between.
    edited_ids = [before.id for before, _ in saved]
    await connection.execute(
        update(skus).where(among(skus.c.product, edited_ids)).values(code=None)
    )
    for before, after in saved:
        await shelf.save_product(connection, before, after)
    for product in plan.added:
        await shelf.insert_product(connection, product)
    locked = await lock_skus(connection, plan.touched)
    made = plan.movements(locked, key)
    if made is None:
        raise _Impossible
    refused = await would_crowd(connection, made)
    if refused is not None:
        raise _Crowded(refused)
    await write_skus(connection, locked, made)


async def _demand_room(connection: AsyncConnection, store: str, added: int) -> None:
    """Raises `_Impossible` unless the locked store may have so many more products."""
    if not added:
        return
    count = select(func.count()).where(products.c.store == store)
    if (await connection.execute(count)).scalar_one() + added > PRODUCTS_PER_STORE_LIMIT:
        raise _Impossible
