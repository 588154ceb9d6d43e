"""Points in PostgreSQL: purses under their buyer's row lock, and the journal that explains them.

Whoever moves points does it with `lock_wallets` and `post`; nothing else writes either table, and
a transfer's `ref` is unique, so that no deed is done twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, and_, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.checkout_tables import (
    point_earnings,
    point_lots,
    point_transfers,
    point_wallets,
)
from cart.adapters.database import Database
from cart.adapters.point_lots import LOT, follow_lots, read_expiring, to_lot
from cart.adapters.tables import among, milliseconds
from cart.core.points import Entry, PointsReason, Purse, Transfer, Wallet
from cart.core.points_lot import Expiring, Lot, expiry

_SAVE: Final = text(
    "UPDATE point_wallets SET ready_minor = new.ready, pending_minor = new.pending,"
    " reserved_minor = new.reserved"
    " FROM unnest(CAST(:buyers AS text[]), CAST(:ready AS bigint[]), CAST(:pending AS bigint[]),"
    " CAST(:reserved AS bigint[])) AS new(buyer, ready, pending, reserved)"
    " WHERE point_wallets.buyer = new.buyer"
)


async def lock_wallets(connection: AsyncConnection, buyers: Iterable[str]) -> dict[str, Wallet]:
    """Lock buyers' purses, in the buyers' order; who has none yet gets empty ones."""
    wanted = sorted(set(buyers))
    fresh = upsert(point_wallets).values([{"buyer": buyer} for buyer in wanted])
    await connection.execute(fresh.on_conflict_do_nothing())
    query = select(point_wallets).where(among(point_wallets.c.buyer, wanted))
    query = query.order_by(point_wallets.c.buyer).with_for_update(key_share=True)
    return {row.buyer: _wallet(row) for row in await connection.execute(query)}


async def read_wallet(connection: AsyncConnection, buyer: str) -> Wallet:
    """A buyer's purses, without waiting for anybody."""
    query = select(point_wallets).where(point_wallets.c.buyer == buyer)
    row = (await connection.execute(query)).first()
    return Wallet() if row is None else _wallet(row)


async def post(
    connection: AsyncConnection, wallets: Mapping[str, Wallet], transfers: Sequence[Transfer]
) -> None:
    """Carry out transfers between locked purses, which must have what they give."""
    if not transfers:
        return
    after = dict(wallets)
    for transfer in transfers:
        wallet = after[transfer.buyer].after(transfer)
        assert wallet is not None, "points from nothing"
        after[transfer.buyer] = wallet
    await connection.execute(
        _SAVE,
        {
            "buyers": list(after),
            "ready": [wallet.ready_minor for wallet in after.values()],
            "pending": [wallet.pending_minor for wallet in after.values()],
            "reserved": [wallet.reserved_minor for wallet in after.values()],
        },
    )
    rows = [
        {
            "ref": transfer.ref,
            "reason": str(transfer.reason),
            "buyer": transfer.buyer,
            "store": transfer.store,
            "order_id": transfer.order,
            "source": str(transfer.source),
            "target": str(transfer.target),
            "amount_minor": transfer.amount_minor,
        }
        for transfer in transfers
    ]
    await connection.execute(insert(point_transfers), rows)
    await follow_lots(connection, transfers)


class SqlPointsBook:
    """Buyers' points in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wallet(self, buyer: str) -> Wallet:
        """A buyer's points."""
        async with self._database.reading() as connection:
            return await read_wallet(connection, buyer)

    async def entries(self, buyer: str, limit: int) -> Sequence[Entry]:
        """What happened to a buyer's points, newest first."""
        query = select(point_transfers, milliseconds(point_transfers.c.at).label("at_ms"))
        query = query.where(point_transfers.c.buyer == buyer)
        query = query.order_by(point_transfers.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [_entry(row) for row in await connection.execute(query)]

    async def ripen(self, limit: int) -> int:
        """Make up to `limit` orders' earnings ready whose time has come; how many it was."""
        due = and_(
            point_earnings.c.ripe.is_(False), point_earnings.c.ripe_at <= func.clock_timestamp()
        )
        query = select(point_earnings).where(due).order_by(point_earnings.c.ripe_at).limit(limit)
        async with self._database.reading() as connection:
            if (await connection.execute(query.limit(1))).first() is None:
                return 0
        async with self._database.writing() as connection:
            locked = query.with_for_update(skip_locked=True)
            rows = (await connection.execute(locked)).all()
            wallets = await lock_wallets(connection, [row.buyer for row in rows]) if rows else {}
            await post(connection, wallets, [_ripening(row) for row in rows if row.left_minor])
            ripe = update(point_earnings).values(ripe=True)
            mine = among(point_earnings.c.order_id, [row.order_id for row in rows])
            await connection.execute(ripe.where(mine))
        return len(rows)

    async def expire(self, limit: int) -> int:
        """Take up to `limit` orders' earnings whose time is over; how many it was."""
        async with self._database.reading() as connection:
            seen = await _due_lots(connection, (), limit)
        if not seen:
            return 0
        async with self._database.writing() as connection:
            wallets = await lock_wallets(connection, [lot.buyer for lot in seen])
            due = await _due_lots(connection, list(wallets), limit)
            await post(connection, wallets, [expiry(lot) for lot in due])
        return len(due)

    async def expiring(self, buyer: str, within_days: int, limit: int) -> Sequence[Expiring]:
        """A buyer's points that expire within so many days, the first first."""
        async with self._database.reading() as connection:
            return await read_expiring(connection, buyer, within_days, limit)


async def _due_lots(connection: AsyncConnection, buyers: Sequence[str], limit: int) -> list[Lot]:
    """Lots whose time is over, of these buyers or, for none, of anybody."""
    over = and_(point_lots.c.ready_minor > 0, point_lots.c.expires_at <= func.clock_timestamp())
    if buyers:
        over = and_(over, among(point_lots.c.buyer, buyers))
    query = select(*LOT).where(over).order_by(point_lots.c.expires_at, point_lots.c.order_id)
    return [to_lot(row) for row in await connection.execute(query.limit(limit))]


def _ripening(row: Row[Any]) -> Transfer:
    return Transfer(
        ref=f"ripen {row.order_id}",
        reason=PointsReason.RIPEN,
        buyer=row.buyer,
        store=row.store,
        order=row.order_id,
        source=Purse.PENDING,
        target=Purse.READY,
        amount_minor=row.left_minor,
    )


def _wallet(row: Row[Any]) -> Wallet:
    return Wallet(
        ready_minor=row.ready_minor,
        pending_minor=row.pending_minor,
        reserved_minor=row.reserved_minor,
    )


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        reason=PointsReason(row.reason),
        order=row.order_id,
        store=row.store,
        source=Purse(row.source),
        target=Purse(row.target),
        amount_minor=row.amount_minor,
        at_ms=row.at_ms,
    )
