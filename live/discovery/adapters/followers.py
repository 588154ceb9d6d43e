"""Followers in PostgreSQL."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from live.discovery.adapters.tables import followers
from live.discovery.ports import Followers


class SqlFollowers(Followers):
    """The followers of `live.discovery.ports`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, store: str, account: str) -> bool:
        """The account follows the store; False: it did already."""
        adding = insert(followers).values(store=store, account=account)
        return await self._changed(adding.on_conflict_do_nothing())

    async def remove(self, store: str, account: str) -> bool:
        """It follows it no longer; False: it did not."""
        return await self._changed(sa.delete(followers).where(_this(store, account)))

    async def has(self, account: str, store: str) -> bool:
        """Whether the account follows the store."""
        query = sa.select(sa.exists().where(_this(store, account)))
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(query))

    async def count(self, store: str) -> int:
        """How many follow it."""
        query = sa.select(sa.func.count()).where(followers.c.store == store)
        async with self._engine.connect() as connection:
            return await connection.scalar(query) or 0

    async def _changed(self, statement: sa.Executable) -> bool:
        async with self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount > 0


def _this(store: str, account: str) -> sa.ColumnElement[bool]:
    return (followers.c.store == store) & (followers.c.account == account)
