"""Deals in PostgreSQL, decided by its clock under their product's lock."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.deal_rows import DEAL, RULING, to_deal
from cart.adapters.deal_tables import deals
from cart.adapters.outbox import put
from cart.adapters.sku_rows import read_clock
from cart.adapters.tables import products
from cart.core import event
from cart.core.deal import OPEN, Deal, DealState, at, end, start
from cart.ports.answers import KeyUsed
from cart.ports.deals import DealOpen

TERMS: Final = (
    *("show", "product", "kind", "price_minor", "percent_off", "skus"),
    *("units", "limit_per_buyer", "shuts", "length_ms"),
)
"""What a repeated request must have in common with the first."""


class SqlDealBook:
    """Deals in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def earlier(self, deal: Deal, key: str) -> Deal | KeyUsed | None:
        """The one kept under this key of the show's, as it is now, if it was wanted alike."""
        async with self._database.reading() as connection:
            return await _earlier(connection, deal, key, await read_clock(connection))

    async def add(
        self, deal: Deal, key: str, countdown_ms: int | None
    ) -> Deal | DealOpen | KeyUsed:
        """Keep a new deal, or give the one kept under this key of the show's."""
        async with self._database.writing() as connection:
            await _lock_product(connection, deal.product)
            now_ms = await read_clock(connection)
            earlier = await _earlier(connection, deal, key, now_ms)
            if earlier is not None:
                return earlier
            ruling = await _found(connection, deals.c.product == deal.product, RULING)
            if ruling is not None:
                if at(ruling, now_ms).state in OPEN:
                    return DealOpen(ruling.id)
                await _write(connection, ruling, end(ruling, now_ms, opens=True))
            begun = deal if countdown_ms is None else start(deal, now_ms, countdown_ms)
            assert begun is not None
            fresh = upsert(deals).values(_row(begun) | {"idempotency_key": key})
            fresh = fresh.on_conflict_do_nothing(index_elements=["show", "idempotency_key"])
            if (await connection.execute(fresh.returning(deals.c.id))).first() is None:
                await connection.rollback()  # for another product, at this very moment
                return KeyUsed()
            await put(connection, deal.store, [event.deal_changed(begun, now_ms)])
            return begun

    async def change(self, deal: str, change: Callable[[Deal, int], Deal | None]) -> Deal | None:
        """The deal after a change at the database's time; None when that cannot be."""
        async with self._database.writing() as connection:
            product = await connection.execute(select(deals.c.product).where(deals.c.id == deal))
            await _lock_product(connection, product.scalar_one())
            before = await _found(connection, deals.c.id == deal)
            assert before is not None
            after = change(before, await read_clock(connection))
            return None if after is None else await _write(connection, before, after)

    async def deal(self, deal: str) -> Deal | None:
        """The deal of that id, as it is now."""
        found, _ = await self._now(deals.c.id == deal, limit=1)
        return found[0] if found else None

    async def deals_of(self, show: str, limit: int) -> tuple[Sequence[Deal], int]:
        """A show's deals as they are now, newest first, and the time."""
        found, now_ms = await self._now(deals.c.show == show, limit=limit)
        return found, now_ms

    async def ruling(self, show: str) -> tuple[Sequence[Deal], int]:
        """A show's deals that have a say in a price, oldest first, and the time."""
        found, now_ms = await self._now(deals.c.show == show, RULING, limit=None)
        return [deal for deal in reversed(found) if deal.rules], now_ms

    async def due(self, limit: int) -> Sequence[str]:
        """Deals that started or ended by the clock, and are not written so yet."""
        now = func.clock_timestamp()
        begun = (deals.c.state == DealState.ANNOUNCED) & (deals.c.starts_at <= now)
        over = (deals.c.state == DealState.RUNNING) & (deals.c.ends_at <= now)
        query = select(deals.c.id).where(RULING, or_(begun, over)).limit(limit)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def shows(self) -> Sequence[str]:
        """Shows that have deals with a say."""
        query = select(deals.c.show).where(RULING).distinct()
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars())

    async def _now(self, *conditions: Any, limit: int | None) -> tuple[list[Deal], int]:
        newest = (deals.c.created_at.desc(), deals.c.id)
        query = select(*DEAL).where(*conditions).order_by(*newest).limit(limit)
        async with self._database.reading() as connection:
            now_ms = await read_clock(connection)
            return [at(to_deal(row), now_ms) for row in await connection.execute(query)], now_ms


async def _lock_product(connection: AsyncConnection, product: str) -> None:
    lock = select(products.c.id).where(products.c.id == product).with_for_update(key_share=True)
    await connection.execute(lock)


async def _earlier(
    connection: AsyncConnection, deal: Deal, key: str, now_ms: int
) -> Deal | KeyUsed | None:
    found = await _found(connection, deals.c.show == deal.show, deals.c.idempotency_key == key)
    if found is None:
        return None
    same = all(getattr(found, name) == getattr(deal, name) for name in TERMS)
    return at(found, now_ms) if same else KeyUsed()


async def _found(connection: AsyncConnection, *conditions: Any) -> Deal | None:
    row = (await connection.execute(select(*DEAL).where(*conditions))).first()
    return None if row is None else to_deal(row)


async def _write(connection: AsyncConnection, before: Deal, after: Deal) -> Deal:
    if after == before:
        return after
    after = msgspec.structs.replace(after, version=before.version + 1)
    await connection.execute(update(deals).where(deals.c.id == after.id).values(_row(after)))
    await put(connection, after.store, [event.deal_changed(after, await read_clock(connection))])
    return after


def _row(deal: Deal) -> dict[str, Any]:
    row = msgspec.structs.asdict(deal)
    moments = {name: row.pop(f"{name}_ms") for name in ("starts_at", "ends_at")}
    return row | {"skus": list(deal.skus)} | {n: _instant(ms) for n, ms in moments.items()}


def _instant(moment_ms: int | None) -> datetime | None:
    return None if moment_ms is None else datetime.fromtimestamp(moment_ms / 1000, UTC)
