"""One way to write: a READ COMMITTED transaction with bounded waiting that wakes the outbox.

The ledger's promise rests on READ COMMITTED: a statement that runs after a row lock was won sees
what the winner before us wrote. Locks are always taken in the order orders, payments, products by
id, holds by id; so two transactions never wait for each other. They are NO KEY UPDATE locks: rows
that merely point at a locked one may be written meanwhile, in any order.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cart.errors import Busy

LOCK_WITHIN_MS: Final = 3_000
"""A row lock that takes longer fails the transaction."""

TRANSACTION_WITHIN_S: Final = 10.0
"""A transaction that takes longer fails; whether it committed is then not known."""

LOCK_NOT_AVAILABLE: Final = "55P03"
"""PostgreSQL's code for a lock that was not won in time."""

_BOUNDS: Final = text(
    f"SELECT set_config('lock_timeout', '{LOCK_WITHIN_MS}', true), "
    "set_config('plan_cache_mode', 'force_custom_plan', true)"
)
"""Custom plans: tables that grow by thousands of rows a second outrun the plans made for them."""


class Database:
    """An engine, and who must hear that something was written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="READ COMMITTED")
        self.written = asyncio.Event()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the context ends well and nobody rolled it back.

        Raises the driver's errors, and `Busy` when a row stays locked by others.
        """
        try:
            async with asyncio.timeout(TRANSACTION_WITHIN_S):
                async with self._engine.begin() as connection:
                    await connection.execute(_BOUNDS)
                    yield connection
                    wrote = connection.in_transaction()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
                raise Busy from error
            raise
        if wrote:
            self.written.set()

    @asynccontextmanager
    async def reading(
        self, within_s: float = TRANSACTION_WITHIN_S
    ) -> AsyncIterator[AsyncConnection]:
        """A connection to look things up with."""
        async with asyncio.timeout(within_s), self._engine.connect() as connection:
            yield connection
