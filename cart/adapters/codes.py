"""Codes in PostgreSQL: SKUs have them, and shows sell by them."""

from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from cart.adapters.database import Database
from cart.adapters.deal_tables import code_sales
from cart.adapters.outbox import put
from cart.adapters.tables import skus
from cart.core.event import codes_switched
from cart.ports.deals import Coded, Codes

_MARK: Final = text(
    "SELECT concat(store, ' ', count(*), ' ',"
    " bit_xor(hashtextextended(concat_ws(' ', code, id, product), 0)))"
    " FROM skus WHERE store = :store AND code IS NOT NULL GROUP BY store"
)


class SqlCodeBook:
    """Codes in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def codes(self, store: str) -> Codes:
        """The store's codes."""
        query = select(skus.c.code, skus.c.id, skus.c.product)
        query = query.where(skus.c.store == store, skus.c.code.is_not(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return {row.code: Coded(row.id, row.product) for row in rows}

    async def mark(self, store: str) -> str:
        """How many codes the store has and what they hash to, in whatever order."""
        async with self._database.reading() as connection:
            found = await connection.execute(_MARK, {"store": store})
            return found.scalar_one_or_none() or store

    async def is_open(self, show: str) -> bool:
        """Whether the show sells by codes."""
        query = select(code_sales.c.open).where(code_sales.c.show == show)
        async with self._database.reading() as connection:
            kept = (await connection.execute(query)).scalar_one_or_none()
        return kept is None or bool(kept)

    async def switch(self, store: str, show: str, *, opened: bool) -> None:
        """Sell by codes in a store's show, or no longer; the show is told."""
        row = upsert(code_sales).values(show=show, open=opened)
        keep = row.on_conflict_do_update(index_elements=[code_sales.c.show], set_={"open": opened})
        async with self._database.writing() as connection:
            await connection.execute(keep)
            await put(connection, store, [codes_switched(show, opened=opened)])
