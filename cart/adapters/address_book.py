"""Where people's parcels go, in PostgreSQL. Who changes a person's list waits for who does too."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.checkout_tables import addresses
from cart.adapters.database import Database
from cart.core.address import Address
from cart.core.order import Recipient
from cart.ports.answers import Full

ADDRESSES: Final = 0x61646472
"""What tells the advisory locks of address lists from others ("addr")."""


class SqlAddressBook:
    """Addresses in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def addresses_of(self, person: str) -> Sequence[Address]:
        """A person's addresses: the usual one, then the others, oldest first."""
        async with self._database.reading() as connection:
            return await _list(connection, person)

    async def add(
        self, address: str, person: str, recipient: Recipient, limit: int, *, usual: bool
    ) -> Address | Full:
        """Keep a new address; one the person has already is that one. The first is the usual."""
        async with self._mine(person) as connection:
            known = await _list(connection, person)
            same = next((one for one in known if one.recipient == recipient), None)
            if same is None and len(known) >= limit:
                return Full()
            if same is None:
                same = Address(id=address, recipient=recipient, usual=not known)
                row = {"id": address, "person": person, "usual": same.usual, **_columns(recipient)}
                await connection.execute(insert(addresses).values(row))
            if usual and not same.usual:
                await _make_usual(connection, person, same.id)
            return Address(id=same.id, recipient=same.recipient, usual=usual or same.usual)

    async def replace(
        self, person: str, address: str, recipient: Recipient, *, usual: bool
    ) -> Address | None:
        """Change one; None where the person has no such address, or has the new one twice then."""
        async with self._mine(person) as connection:
            known = {one.id: one for one in await _list(connection, person)}
            twin = any(one.recipient == recipient for one in known.values() if one.id != address)
            if address not in known or twin:
                return None
            change = update(addresses).where(addresses.c.id == address)
            await connection.execute(change.values(_columns(recipient)))
            if usual:
                await _make_usual(connection, person, address)
            return Address(id=address, recipient=recipient, usual=usual or known[address].usual)

    async def remove(self, person: str, address: str) -> None:
        """Forget one; of the others the oldest is the usual one if this was it."""
        async with self._mine(person) as connection:
            mine = (addresses.c.person == person) & (addresses.c.id == address)
            await connection.execute(delete(addresses).where(mine))
            left = await _list(connection, person)
            if left and not left[0].usual:
                await _make_usual(connection, person, left[0].id)

    async def forget(self, person: str) -> None:
        """Forget all of a person's."""
        async with self._mine(person) as connection:
            await connection.execute(delete(addresses).where(addresses.c.person == person))

    @asynccontextmanager
    async def _mine(self, person: str) -> AsyncIterator[AsyncConnection]:
        lock = func.pg_advisory_xact_lock(func.hashtextextended(person, ADDRESSES))
        async with self._database.writing() as connection:
            await connection.execute(select(lock))
            yield connection


async def _list(connection: AsyncConnection, person: str) -> list[Address]:
    query = select(addresses).where(addresses.c.person == person)
    order = (addresses.c.usual.desc(), addresses.c.created_at, addresses.c.id)
    return [_address(row) for row in await connection.execute(query.order_by(*order))]


async def _make_usual(connection: AsyncConnection, person: str, address: str) -> None:
    """In two steps, since no moment may have two usual ones."""
    mine = update(addresses).where(addresses.c.person == person)
    await connection.execute(mine.values(usual=False))
    await connection.execute(mine.where(addresses.c.id == address).values(usual=True))


def _columns(recipient: Recipient) -> dict[str, str]:
    return {name: getattr(recipient, name) for name in Recipient.__struct_fields__}


def _address(row: Row[Any]) -> Address:
    said = {name: getattr(row, name) for name in Recipient.__struct_fields__}
    return Address(id=row.id, recipient=Recipient(**said), usual=row.usual)
