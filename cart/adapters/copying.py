"""Many new rows at once, by PostgreSQL's COPY: it costs both sides a fraction of an INSERT."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

LOST: Final = (
    *(asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    *(asyncpg.AdminShutdownError, asyncpg.CrashShutdownError),
)

_ANYTHING: Final = text("SELECT 1")


async def copy_rows(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    """Add rows to a table in the open transaction; columns left out get their defaults.

    Raises asyncpg's errors, and SQLAlchemy's `DBAPIError` when the connection is gone.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection), "cart speaks to PostgreSQL by asyncpg"
    try:
        await driver.copy_records_to_table(table.name, columns=columns, records=rows)
    except LOST:
        # SQLAlchemy does not see what its driver does here. Asking for anything tells it, and its
        # pool lets go of this connection and of those that were lost with it.
        await connection.execute(_ANYTHING)
        raise
