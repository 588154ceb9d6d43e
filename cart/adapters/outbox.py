"""The outbox: events are rows of the transaction that caused them, and leave in their order.

Events of one product, or one order, are numbered while its row is locked, so their ids are in the
order of their commits. An advisory lock lets one node at a time take them out.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.tables import among, outbox
from cart.core.event import Event
from cart.ports.outbox import Taken

ADVISORY_LOCK: Final = 0x6B6B6F74_63617274
"""The key of the lock: "kkotcart" in ASCII."""


async def put(connection: AsyncConnection, store: str, events: Sequence[Event]) -> None:
    """Add a store's events to the open transaction."""
    await put_each(connection, [(store, event) for event in events])


async def put_each(connection: AsyncConnection, told: Sequence[tuple[str, Event]]) -> None:
    """Add events, each with its store, to the open transaction: however many, by one statement."""
    if told:
        rows = [{"store": store, "event": event} for store, event in told]
        await connection.execute(insert(outbox), rows)


class SqlOutbox:
    """The outbox in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def take(self, limit: int) -> AsyncIterator[Taken]:
        """So many at most, nobody else taking any; those told are gone if the context ends well."""
        async with self._database.reading() as connection, connection.begin():
            if not await _anything(connection):
                yield Taken([])
                return
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
            oldest = select(outbox).order_by(outbox.c.id).limit(limit)
            rows = (await connection.execute(oldest)).all()
            taken = Taken([(row.store, row.event | {"key": f"outbox {row.id}"}) for row in rows])
            yield taken
            ids = [row.id for row in rows[: taken.told]]
            await connection.execute(delete(outbox).where(among(outbox.c.id, ids)))


async def _anything(connection: AsyncConnection) -> bool:
    return (await connection.execute(select(outbox.c.id).limit(1))).first() is not None
