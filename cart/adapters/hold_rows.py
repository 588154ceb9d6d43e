"""Holds as rows, for whoever has locked their products."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.copying import copy_rows
from cart.adapters.tables import holds, milliseconds
from cart.core.hold import GRACE_MS, Hold, HoldState
from cart.core.movement import Units

HOLD: Final[tuple[ColumnElement[Any], ...]] = (
    holds.c.id,
    holds.c.sku,
    holds.c.product,
    holds.c.title,
    holds.c.options,
    holds.c.quantity,
    holds.c.price_minor,
    holds.c.currency,
    holds.c.deal,
    holds.c.show,
    holds.c.order_id,
    holds.c.state,
    holds.c.extended,
    (milliseconds(holds.c.expires_at) - GRACE_MS).label("expires_at_ms"),
)

UNITS: Final[tuple[ColumnElement[Any], ...]] = (
    *(holds.c.id, holds.c.sku, holds.c.product, holds.c.quantity, holds.c.state, holds.c.deal),
)

NEW: Final = (
    *("id", "buyer", "idempotency_key", "sku", "product", "title", "options", "quantity"),
    *("price_minor", "currency", "deal", "show", "state", "expires_at"),
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_hold(row: Row[Any], now_ms: int) -> Hold:
    """A row of `HOLD` as a hold."""
    return Hold(
        id=row.id,
        sku=row.sku,
        product=row.product,
        title=row.title,
        options=tuple(row.options),
        quantity=row.quantity,
        price_minor=row.price_minor,
        currency=row.currency,
        deal=row.deal,
        show=row.show,
        order=row.order_id,
        state=HoldState(row.state),
        expires_at_ms=row.expires_at_ms,
        extended=row.extended,
        now_ms=now_ms,
    )


async def lock_holds(connection: AsyncConnection, condition: Any) -> list[Units]:
    """Lock the holds that meet a condition, in id order; their products are locked already."""
    query = select(*UNITS).where(condition).order_by(holds.c.id).with_for_update(key_share=True)
    return [
        Units(row.id, row.sku, row.product, row.quantity, HoldState(row.state), row.deal)
        for row in await connection.execute(query)
    ]


async def insert_holds(connection: AsyncConnection, made: Sequence[tuple[str, str, Hold]]) -> None:
    """Write new holds, each with its buyer and idempotency key."""
    if made:
        await copy_rows(connection, holds, NEW, (_row(*one) for one in made))


def _row(buyer: str, key: str, hold: Hold) -> tuple[Any, ...]:
    return (
        *(hold.id, buyer, key, hold.sku, hold.product, hold.title, hold.options, hold.quantity),
        *(hold.price_minor, hold.currency, hold.deal, hold.show, hold.state.value),
        EPOCH + timedelta(milliseconds=hold.expires_at_ms + GRACE_MS),
    )
