"""The seller's door to the piles in PostgreSQL."""

from collections.abc import Mapping

from cart.adapters.database import Database
from cart.adapters.movements import made_by_key
from cart.adapters.moving import write_skus
from cart.adapters.sku_rows import lock_skus
from cart.adapters.waits import lengths_in, would_crowd
from cart.core.movement import Reason
from cart.core.restock import RestockRefusal, restock


class SqlStockroom:
    """Restocking and correcting in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(
        self, product: str, changes: Mapping[str, int], *, reason: Reason, key: str
    ) -> RestockRefusal | None:
        """Add to, or take from, the free units by SKU, once for each key; None when it is done."""
        async with self._database.writing() as connection:
            locked = await lock_skus(connection, [product])
            earlier = await made_by_key(connection, list(locked), key)
            decided = restock(changes, locked, earlier, reason=reason, key=key)
            if not isinstance(decided, list):
                return decided
            refused = await would_crowd(connection, decided)
            if refused is not None:
                return refused
            await write_skus(connection, locked, decided)
        return None

    async def waiting(self, store: str) -> Mapping[str, int]:
        """How many buyers wait for each SKU of a store; none for the SKUs left out."""
        async with self._database.reading() as connection:
            return await lengths_in(connection, store)
