"""The waitlist in PostgreSQL. Whoever comes or goes locks the SKU's product first, as do those who
move its units: so nobody comes to wait while a unit becomes free, and stays unseen."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.owned import read_units
from cart.adapters.sku_rows import CLOCK, lock_skus, read_clock
from cart.adapters.tables import holds, milliseconds, products, skus
from cart.adapters.waitlist_tables import waits
from cart.adapters.waits import tell_lengths, tell_waits
from cart.core.hold import GRACE_MS
from cart.core.waitlist import (
    LIVE,
    Line,
    Wait,
    WaitEvent,
    WaitRefusal,
    WaitRequest,
    WaitState,
    Welcome,
    after,
    judge,
)
from cart.ports.stock import SkuLine

BUYERS: Final = 0x77616974
"""What tells the advisory locks of those who wait from others ("wait")."""

_AHEAD: Final = waits.alias("ahead")

WAIT: Final = (
    *(waits.c.id, waits.c.sku, waits.c.product, waits.c.quantity, waits.c.show, waits.c.state),
    *(waits.c.buyer, waits.c.offer_ms, skus.c.options, products.c.title, skus.c.store),
    (milliseconds(holds.c.expires_at) - GRACE_MS).label("expires_at_ms"),
    CLOCK.label("now_ms"),
    select(func.count())
    .where(_AHEAD.c.sku == waits.c.sku, _AHEAD.c.state == WaitState.WAITING)
    .where(_AHEAD.c.place <= waits.c.place)
    .scalar_subquery()
    .label("place_in_line"),
)


class SqlWaitlist:
    """Who waits for what, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, request: WaitRequest) -> Wait | WaitRefusal:
        """Wait at the end of a SKU's line, if none of it is free; the same key, the same wait."""
        async with self._database.writing() as connection:
            # One buyer's requests one after the other: what they count must not change meanwhile.
            await connection.execute(
                select(func.pg_advisory_xact_lock(func.hashtextextended(request.buyer, BUYERS)))
            )
            judged = judge(request, await _line(connection, request))
            if not isinstance(judged, Welcome):
                return judged
            whose = select(skus.c.product).where(skus.c.id == request.sku).scalar_subquery()
            fresh = insert(waits).values(
                id=request.id,
                sku=request.sku,
                product=whose,
                buyer=request.buyer,
                idempotency_key=request.key,
                quantity=request.quantity,
                show=request.show,
                offer_ms=request.offer_ms,
                state=WaitState.WAITING,
            )
            await connection.execute(fresh)
            await tell_lengths(connection, [request.sku])
            (row,) = await _read(connection, waits.c.id == request.id)
            return _wait(row)

    async def leave(self, wait: str, buyer: str) -> Wait | None:
        """Wait no longer; the wait as it is then, None when it is not this buyer's."""
        theirs = (waits.c.id == wait) & (waits.c.buyer == buyer)
        async with self._database.writing() as connection:
            product = await connection.scalar(select(waits.c.product).where(theirs))
            if product is None:
                return None
            await lock_skus(connection, [product])
            (row,) = await _read(connection, theirs)
            left = after(WaitState(row.state), WaitEvent.LEAVE)
            if left is None:
                return _wait(row)
            await connection.execute(update(waits).where(theirs).values(state=left))
            (row,) = await _read(connection, theirs)
            await tell_waits(connection, [row])
            await tell_lengths(connection, [row.sku])
            return _wait(row)

    async def waits(self, buyer: str) -> tuple[Sequence[Wait], int]:
        """What a buyer waits for or is being offered, oldest first, and the time."""
        theirs = (waits.c.buyer == buyer) & waits.c.state.in_(LIVE)
        async with self._database.reading() as connection:
            now_ms = await read_clock(connection)
            in_time = milliseconds(holds.c.expires_at) > now_ms + GRACE_MS
            in_time = or_(holds.c.id.is_(None), in_time)
            return [_wait(row) for row in await _read(connection, theirs & in_time)], now_ms

    async def lines(self, store: str) -> Sequence[SkuLine]:
        """The SKUs of a store somebody waits for."""
        query = (
            select(waits.c.sku, waits.c.product, func.count().label("length"))
            .join(skus, skus.c.id == waits.c.sku)
            .where(skus.c.store == store, waits.c.state == WaitState.WAITING)
            .group_by(waits.c.sku, waits.c.product)
            .order_by(waits.c.product, waits.c.sku)
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [SkuLine(row.sku, row.product, row.length) for row in rows]


async def _line(connection: AsyncConnection, request: WaitRequest) -> Line:
    """Lock the product of the SKU that is asked for, and read what deciding needs."""
    product = await connection.scalar(select(skus.c.product).where(skus.c.id == request.sku))
    locked = await lock_skus(connection, [] if product is None else [product])
    mine = waits.c.buyer == request.buyer
    kept = await _read(connection, mine & (waits.c.idempotency_key == request.key))
    live = list(await connection.scalars(select(waits.c.sku).where(mine, waits.c.state.in_(LIVE))))
    line = (waits.c.sku == request.sku) & (waits.c.state == WaitState.WAITING)
    length = await connection.scalar(select(func.count()).select_from(waits).where(line))
    units = await read_units(connection, [(request.sku, request.buyer)], locked)
    return Line(
        sku=locked.get(request.sku),
        kept=_wait(kept[0]) if kept else None,
        lives=request.sku in live,
        has=sum(units.values()),
        own=len(live),
        length=length or 0,
    )


async def _read(connection: AsyncConnection, chosen: Any) -> list[Row[Any]]:
    query = (
        select(*WAIT)
        .join(skus, skus.c.id == waits.c.sku)
        .join(products, products.c.id == waits.c.product)
        .outerjoin(holds, holds.c.id == waits.c.id)
        .where(chosen)
        .order_by(waits.c.place)
    )
    return list(await connection.execute(query))


def _wait(row: Row[Any]) -> Wait:
    state = WaitState(row.state)
    return Wait(
        id=row.id,
        sku=row.sku,
        product=row.product,
        title=row.title,
        options=tuple(row.options),
        quantity=row.quantity,
        show=row.show,
        state=state,
        place=row.place_in_line if state is WaitState.WAITING else None,
        offer_ms=row.offer_ms,
        expires_at_ms=row.expires_at_ms if state is WaitState.OFFERED else None,
        now_ms=row.now_ms,
    )
