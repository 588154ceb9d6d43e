"""Waits as rows, for whoever has locked their products: a product's lock is its waits' lock.

One exception: an offer that becomes an order is TAKEN under its hold's lock alone, as no offer
ends otherwise without that lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.outbox import put_each
from cart.adapters.tables import among, skus
from cart.adapters.waitlist_tables import waits
from cart.core import event
from cart.core.hold import HoldState
from cart.core.movement import Movement
from cart.core.restock import TooManyOffers, crowded
from cart.core.stock import Sku
from cart.core.waitlist import NEXT, Offers, WaitEvent, Waiting, WaitState

ENDS: Final[Mapping[HoldState, WaitState]] = {
    HoldState.RELEASED: NEXT[WaitState.OFFERED][WaitEvent.DECLINE],
    HoldState.EXPIRED: NEXT[WaitState.OFFERED][WaitEvent.EXPIRE],
    HoldState.ORDERED: NEXT[WaitState.OFFERED][WaitEvent.TAKE],
}
"""What the end of an offered hold's time as an offer makes of its wait."""

ROUND_LIMIT_WAITS: Final = 256
"""Most waits that are decided and written at once; the rest in further rounds of the transaction,
between which the node does other work."""

_FIRST: Final = text(
    "SELECT w.id, w.buyer, w.sku, w.quantity, w.show, w.offer_ms"
    " FROM unnest(CAST(:skus AS text[]), CAST(:units AS int[])) AS freed(sku, units)"
    " CROSS JOIN LATERAL (SELECT * FROM waits WHERE waits.sku = freed.sku"
    " AND waits.state = 'waiting' ORDER BY waits.place LIMIT freed.units) AS w ORDER BY w.place"
    " LIMIT :most"
)

_TURN: Final = text(
    "UPDATE waits SET state = new.state"
    " FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[])) AS new(id, state), skus"
    " WHERE waits.id = new.id AND waits.state = :before AND skus.id = waits.sku"
    " RETURNING waits.id, waits.sku, waits.product, waits.buyer, waits.state, skus.store"
)


async def first_in_line(
    connection: AsyncConnection, freed: Iterable[Sku], spare: int
) -> list[Waiting]:
    """Of each SKU that has free units as many who wait, and `spare` more, in the order they came,
    within `ROUND_LIMIT_WAITS`.

    The spare ones are for the case that some are passed over.
    """
    asked = {
        sku.id: min(sku.counters.free + spare, ROUND_LIMIT_WAITS)
        for sku in freed
        if sku.counters.free > 0
    }
    if not asked:
        return []
    rows = await connection.execute(
        _FIRST, {"skus": list(asked), "units": list(asked.values()), "most": ROUND_LIMIT_WAITS}
    )
    return [
        Waiting(row.id, row.buyer, row.sku, row.quantity, row.show, row.offer_ms) for row in rows
    ]


async def keep_offers(
    connection: AsyncConnection, offers: Offers, skus: Mapping[str, Sku]
) -> set[str]:
    """Write whose turn it was, and tell them; the SKUs whose lines are shorter now."""
    states = dict.fromkeys((hold.id for _, _, hold in offers.made), WaitState.OFFERED)
    states |= dict.fromkeys(offers.passed, WaitState.PASSED_OVER)
    rows = await _turn(connection, states, WaitState.WAITING)
    told = [(skus[hold.sku].store, event.offered(hold, buyer)) for buyer, _, hold in offers.made]
    await put_each(connection, told)
    await tell_waits(connection, [row for row in rows if row.state == WaitState.PASSED_OVER])
    return {row.sku for row in rows}


async def end_offers(connection: AsyncConnection, holds: Mapping[str, HoldState]) -> None:
    """Let the waits follow their offered holds into new states."""
    states = {hold: ENDS[state] for hold, state in holds.items() if state in ENDS}
    if states:
        await tell_waits(connection, await _turn(connection, states, WaitState.OFFERED))


async def tell_waits(connection: AsyncConnection, rows: Iterable[Row[Any]]) -> None:
    """Tell buyers, each alone, what became of their waits."""
    told = [
        (
            row.store,
            event.wait_ended(row.id, row.product, row.sku, WaitState(row.state), row.buyer),
        )
        for row in rows
    ]
    await put_each(connection, told)


async def tell_lengths(connection: AsyncConnection, ids: Collection[str]) -> None:
    """Tell the sellers how many wait for these SKUs now."""
    if ids:
        lines = await read_lengths(connection, ids)
        told = [(row.store, event.line_moved(row.product, row.id, row.length)) for row in lines]
        await put_each(connection, told)


async def read_lengths(connection: AsyncConnection, ids: Collection[str]) -> Sequence[Row[Any]]:
    """`id`, `product`, `store` and `length` of the line of each of the SKUs."""
    line = (waits.c.sku == skus.c.id) & (waits.c.state == WaitState.WAITING)
    query = (
        select(skus.c.id, skus.c.product, skus.c.store, func.count(waits.c.id).label("length"))
        .select_from(skus.outerjoin(waits, line))
        .where(among(skus.c.id, ids))
        .group_by(skus.c.id)
        .order_by(skus.c.id)
    )
    return (await connection.execute(query)).all()


async def would_crowd(
    connection: AsyncConnection, movements: Sequence[Movement]
) -> TooManyOffers | None:
    """The refusal of movements of locked SKUs that could make too many offers at once."""
    freed = [one.sku for one in movements if one.free > 0]
    lines = await read_lengths(connection, freed) if freed else []
    return crowded(movements, {row.id: row.length for row in lines})


async def lengths_in(connection: AsyncConnection, store: str) -> dict[str, int]:
    """How many wait for each SKU of a store; SKUs nobody waits for are left out."""
    query = (
        select(waits.c.sku, func.count().label("length"))
        .join(skus, skus.c.id == waits.c.sku)
        .where(skus.c.store == store, waits.c.state == WaitState.WAITING)
        .group_by(waits.c.sku)
    )
    rows = await connection.execute(query)
    return {row.sku: row.length for row in rows}


async def _turn(
    connection: AsyncConnection, states: Mapping[str, WaitState], before: WaitState
) -> Sequence[Row[Any]]:
    if not states:
        return []
    new = {"ids": list(states), "states": [str(state) for state in states.values()]}
    return (await connection.execute(_TURN, {**new, "before": str(before)})).all()
