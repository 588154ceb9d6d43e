"""Moving units: whoever does, in any module, does it by `turn_holds` or `write_skus`, on products
locked by `lock_skus`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.deal_rows import take_units
from cart.adapters.hold_facts import read_facts
from cart.adapters.hold_rows import insert_holds
from cart.adapters.lots import inherit
from cart.adapters.movements import log
from cart.adapters.outbox import put_each
from cart.adapters.sku_rows import count_units, read_clock
from cart.adapters.waits import end_offers, first_in_line, keep_offers, tell_lengths
from cart.core import event
from cart.core.event import Event
from cart.core.hold import HoldEvent
from cart.core.movement import Movement, Units, dealt, lapsed, moved, taken, turn
from cart.core.stock import Sku
from cart.core.waitlist import offer

_TURN: Final = text(
    "UPDATE holds SET state = new.state"
    " FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[])) AS new(id, state)"
    " WHERE holds.id = new.id"
)


async def write_skus(
    connection: AsyncConnection, before: Mapping[str, Sku], movements: Sequence[Movement]
) -> None:
    """Move units of locked products' SKUs: log it, write the counters, raise the products'
    versions, and tell the viewers.

    `before`: all SKUs of the locked products. Units that became free are offered to those who wait
    for them first.
    """
    movements = [*movements, *await _offer_freed(connection, before, movements)]
    if not movements:
        return
    await log(connection, movements)
    changed = moved(before, movements)
    if not changed:
        return
    await count_units(connection, before, changed)
    await put_each(connection, _told(before, changed))


def _told(before: Mapping[str, Sku], changed: Mapping[str, Sku]) -> list[tuple[str, Event]]:
    """What the viewers of each store hear of the products whose SKUs changed."""
    families: dict[str, list[Sku]] = {sku.product: [] for sku in changed.values()}
    for sku in before.values():
        if sku.product in families:
            families[sku.product].append(sku)
    told: list[tuple[str, Event]] = []
    for family in families.values():
        after = [replace(changed.get(sku.id, sku), version=sku.version + 1) for sku in family]
        told += [(family[0].store, one) for one in event.moved(family, after)]
    return told


async def _offer_freed(
    connection: AsyncConnection, before: Mapping[str, Sku], movements: Sequence[Movement]
) -> list[Movement]:
    """Hold units that become free for those who wait for them; the movements of that."""
    freed = {movement.sku for movement in movements if movement.free > 0}
    if not freed:
        return []
    now = {**before, **moved(before, movements)}
    offered: list[Movement] = []
    shorter: set[str] = set()
    spare = 16
    while waiting := await first_in_line(connection, [now[one] for one in freed], spare):
        spare *= 4
        owners = [(wait.sku, wait.buyer) for wait in waiting]
        now_ms = await read_clock(connection)
        offers = offer(waiting, await read_facts(connection, owners, now, now_ms))
        await insert_holds(connection, offers.made)
        shorter |= await keep_offers(connection, offers, now)
        made = [hold for _, _, hold in offers.made]
        await take_units(connection, dealt(made))
        offered += taken(made)
        now = {**before, **moved(before, [*movements, *offered])}
    await tell_lengths(connection, shorter)
    return offered


async def turn_holds(
    connection: AsyncConnection, units: Sequence[Units], happened: HoldEvent, locked: dict[str, Sku]
) -> bool:
    """Let an event happen to locked holds of locked SKUs; False, and nothing done, if it cannot."""
    turned = turn(units, happened)
    if turned is None:
        return False
    if turned.states:
        states = {"ids": list(turned.states), "states": [str(s) for s in turned.states.values()]}
        await connection.execute(_TURN, states)
        await end_offers(connection, turned.states)
    heirs = await inherit(connection, lapsed(units, turned))
    # Before the units are offered to those who wait, who may have them at the deal's price again.
    await take_units(connection, {deal: -units for deal, units in turned.given_back.items()})
    await write_skus(connection, locked, [*turned.movements, *heirs])
    return True
