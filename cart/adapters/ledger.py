"""Holds in PostgreSQL: made in batches, given back, extended, and swept past their deadline."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import and_, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.deal_rows import take_units
from cart.adapters.discounts import give_back
from cart.adapters.hold_facts import read_facts, read_kept
from cart.adapters.hold_rows import HOLD, insert_holds, lock_holds, to_hold
from cart.adapters.moving import turn_holds, write_skus
from cart.adapters.sku_rows import lock_asked, lock_skus, read_clock
from cart.adapters.tables import among, holds, milliseconds, orders
from cart.core.hold import EXTENSION_MS, GRACE_MS, LIVE, Hold, HoldEvent, HoldState
from cart.core.movement import dealt, taken
from cart.core.order import OrderState
from cart.core.stock import Facts, Granted, HoldRequest, Outcome


class SqlBatch:
    """An open transaction on locked SKUs."""

    def __init__(self, connection: AsyncConnection, facts: Facts) -> None:
        self._connection = connection
        self.facts = facts
        self.granted = False

    async def keep(self, requests: Sequence[HoldRequest], outcome: Outcome) -> None:
        """Write the granted holds at once, then their movements and the counters."""
        granted = [
            (request.buyer, request.key, hold)
            for request, decision in zip(requests, outcome.decisions, strict=True)
            if isinstance(decision, Granted)
            for hold in decision.holds
        ]
        if not granted:
            return
        self.granted = True
        await insert_holds(self._connection, granted)
        await write_skus(self._connection, self.facts.skus, taken(outcome.holds))
        await take_units(self._connection, dealt(outcome.holds))


class SqlLedger:
    """Holds and counters in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def batch(self, requests: Sequence[HoldRequest], hold_ms: int) -> AsyncIterator[SqlBatch]:
        """Lock the requests' products and read the facts; commits when the context ends well."""
        async with self._database.writing() as connection:
            locked = await lock_asked(connection, requests)
            now_ms = await read_clock(connection)
            kept = await read_kept(connection, requests, now_ms)
            owners = [(line.sku, one.buyer) for one in requests for line in one.lines]
            facts = await read_facts(connection, owners, locked, now_ms)
            facts = replace(facts, kept=kept, hold_ms=hold_ms)
            batch = SqlBatch(connection, facts)
            yield batch
            if not batch.granted:
                await connection.rollback()  # who only refuses waits for no disk

    async def release(self, hold: str, buyer: str) -> Hold | None:
        """Give back a buyer's HELD units; the hold as it is then, None when it is not theirs."""
        async with self._database.writing() as connection:
            theirs = and_(holds.c.id == hold, holds.c.buyer == buyer)
            product = (
                await connection.execute(select(holds.c.product).where(theirs))
            ).scalar_one_or_none()
            if product is None:
                return None
            locked = await lock_skus(connection, [product])
            unordered = and_(theirs, holds.c.state == HoldState.HELD)
            units = await lock_holds(connection, unordered)
            await turn_holds(connection, units, HoldEvent.RELEASE, locked)
            now_ms = await read_clock(connection)
            row = (await connection.execute(select(*HOLD).where(theirs))).one()
            return to_hold(row, now_ms)

    async def extend(self, hold: str, buyer: str) -> Hold | None:
        """Give a HELD hold in time its one extension; the hold as it is then, None: not theirs."""
        theirs = and_(holds.c.id == hold, holds.c.buyer == buyer)
        first = and_(theirs, holds.c.state == HoldState.HELD, holds.c.extended.is_(False))
        change = update(holds).where(first, holds.c.expires_at > func.clock_timestamp())
        later = holds.c.expires_at + text(f"interval '{EXTENSION_MS} milliseconds'")
        async with self._database.writing() as connection:
            await connection.execute(change.values(extended=True, expires_at=later))
            now_ms = await read_clock(connection)
            row = (await connection.execute(select(*HOLD).where(theirs))).first()
        return None if row is None else to_hold(row, now_ms)

    async def live(self, buyer: str) -> tuple[Sequence[Hold], int]:
        """A buyer's holds with a running deadline, oldest first, and the time."""
        async with self._database.reading() as connection:
            now_ms = await read_clock(connection)
            query = (
                select(*HOLD)
                .where(holds.c.buyer == buyer, holds.c.state.in_(LIVE))
                .where(milliseconds(holds.c.expires_at) > now_ms + GRACE_MS)
                .order_by(holds.c.created_at, holds.c.id)
            )
            return [to_hold(row, now_ms) for row in await connection.execute(query)], now_ms

    async def sweep(self, limit: int) -> int:
        """Expire up to `limit` holds past their deadline, and the orders they are in."""
        due = and_(holds.c.state.in_(LIVE), holds.c.expires_at <= func.clock_timestamp())
        query = select(holds.c.id, holds.c.product, holds.c.order_id).where(due)
        async with self._database.reading() as connection:
            seen = (await connection.execute(query.order_by(holds.c.expires_at).limit(limit))).all()
        if not seen:
            return 0
        async with self._database.writing() as connection:
            over = await _lock_due(connection, {row.order_id for row in seen if row.order_id}, due)
            # An order ends whole: all its holds, not only those that were seen.
            lone = and_(due, holds.c.order_id.is_(None), among(holds.c.id, [r.id for r in seen]))
            ordered = and_(holds.c.state.in_(LIVE), among(holds.c.order_id, over))
            chosen = lone | ordered
            wanted = await connection.execute(select(holds.c.product).where(chosen).distinct())
            locked = await lock_skus(connection, wanted.scalars())
            units = await lock_holds(connection, and_(chosen, among(holds.c.sku, locked)))
            await turn_holds(connection, units, HoldEvent.EXPIRE, locked)
            await _expire_orders(connection, over)
            await give_back(connection, over)
        return len(seen)


async def _lock_due(connection: AsyncConnection, ids: set[str], due: Any) -> list[str]:
    """Lock those of the orders that are placed and have a hold past its deadline, in id order."""
    query = (
        select(orders.c.id)
        .where(among(orders.c.id, ids), orders.c.state == OrderState.PLACED)
        .where(exists().where(holds.c.order_id == orders.c.id, due))
        .order_by(orders.c.id)
        .with_for_update(key_share=True)
    )
    return list((await connection.execute(query)).scalars())


async def _expire_orders(connection: AsyncConnection, ids: Sequence[str]) -> None:
    if ids:
        change = orders.update().where(among(orders.c.id, ids)).values(state=OrderState.EXPIRED)
        await connection.execute(change)
