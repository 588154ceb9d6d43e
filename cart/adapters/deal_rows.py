"""Deals as rows, for whoever has locked their products: a product's lock is its deals' lock."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.deal_tables import RULES, deals
from cart.adapters.outbox import put
from cart.adapters.tables import among, milliseconds
from cart.core import event
from cart.core.deal import Deal, DealKind, DealState

DEAL: Final[tuple[ColumnElement[Any], ...]] = (
    *(deals.c.id, deals.c.store, deals.c.show, deals.c.product, deals.c.kind, deals.c.state),
    *(deals.c.price_minor, deals.c.percent_off, deals.c.skus, deals.c.units, deals.c.taken),
    *(deals.c.limit_per_buyer, deals.c.shuts, deals.c.length_ms, deals.c.version),
    milliseconds(deals.c.starts_at).label("starts_at_ms"),
    milliseconds(deals.c.ends_at).label("ends_at_ms"),
    milliseconds(func.clock_timestamp()).label("now_ms"),
)
RULING: Final[ColumnElement[bool]] = literal_column(f"({RULES})")

_RULING: Final = select(*DEAL).where(
    deals.c.product == any_(bindparam("products", type_=ARRAY(Text))), RULING
)

_TAKE: Final = text(
    "UPDATE deals SET taken = taken + new.units, version = version + 1"
    " FROM unnest(CAST(:ids AS text[]), CAST(:units AS int[])) AS new(id, units)"
    " WHERE deals.id = new.id"
)


def to_deal(row: Row[Any]) -> Deal:
    """A row of `DEAL` as a deal."""
    return Deal(
        id=row.id,
        store=row.store,
        show=row.show,
        product=row.product,
        kind=DealKind(row.kind),
        state=DealState(row.state),
        price_minor=row.price_minor,
        percent_off=row.percent_off,
        skus=tuple(row.skus),
        units=row.units,
        taken=row.taken,
        limit_per_buyer=row.limit_per_buyer,
        shuts=row.shuts,
        length_ms=row.length_ms,
        starts_at_ms=row.starts_at_ms,
        ends_at_ms=row.ends_at_ms,
        version=row.version,
    )


async def ruling_deals(connection: AsyncConnection, products: Iterable[str]) -> dict[str, Deal]:
    """The deals that have a say in what locked products cost, by product."""
    rows = await connection.execute(_RULING, {"products": list(products)})
    return {row.product: to_deal(row) for row in rows}


async def take_units(connection: AsyncConnection, taken: Mapping[str, int]) -> None:
    """Count units taken at deals' prices, or given back (below zero), and tell their shows."""
    changed = {deal: units for deal, units in taken.items() if units}
    if not changed:
        return
    await connection.execute(_TAKE, {"ids": list(changed), "units": list(changed.values())})
    query = select(*DEAL).where(among(deals.c.id, changed)).order_by(deals.c.id)
    for row in (await connection.execute(query)).all():
        await put(connection, row.store, [event.deal_changed(to_deal(row), row.now_ms)])
