"""Many new rows at once, by PostgreSQL's COPY: it costs both sides a fraction of an INSERT."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy import Table
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
"""A connection that ended with one of these may not know it yet."""


async def copy_rows(
    connection: AsyncConnection,
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
) -> None:
    """Add rows to a table in the open transaction; columns left out get their defaults.

    Raises asyncpg's errors, and `OperationalError` when the connection is gone.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection), "cart speaks to PostgreSQL by asyncpg"
    try:
        await driver.copy_records_to_table(table.name, columns=columns, records=rows)
    except (asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        if not (driver.is_closed() or isinstance(error, LOST)):
            raise
        # SQLAlchemy does not see what its driver does here, and would lend the connection again.
        await connection.invalidate()
        raise OperationalError(
            f"COPY {table.name}", None, error, connection_invalidated=True
        ) from error
