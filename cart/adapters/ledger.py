"""The ledger in PostgreSQL: locks, one statement per kind of write, and core's decisions between.

Whoever moves units, in any module, does it with `lock_skus`, `lock_holds`, `turn_holds`.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.deal_rows import ruling_deals, take_units
from cart.adapters.discounts import give_back
from cart.adapters.lots import inherit
from cart.adapters.movements import log
from cart.adapters.outbox import put
from cart.adapters.owned import read_units
from cart.adapters.tables import holds, milliseconds, orders, products, skus
from cart.adapters.waits import end_offers, first_in_line, keep_offers, tell_lengths
from cart.core import event
from cart.core.deal import Deal
from cart.core.hold import EXTENSION_MS, GRACE_MS, LIVE, Hold, HoldEvent, HoldState
from cart.core.movement import Movement, Units, dealt, lapsed, moved, taken, turn
from cart.core.order import OrderState
from cart.core.stock import Counters, Facts, Granted, HoldRequest, Outcome, Sku
from cart.core.waitlist import offer

SKU: Final[tuple[ColumnElement[Any], ...]] = (
    *(skus.c.id, skus.c.product, skus.c.store, skus.c.options, skus.c.price_minor),
    *(skus.c.free, skus.c.held, skus.c.sold),
    *(products.c.title, products.c.currency, products.c.limit_per_buyer, products.c.version),
)

CLOCK: Final = milliseconds(func.clock_timestamp())

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

_KEPT: Final = text(
    "SELECT h.id, h.buyer, h.idempotency_key, h.sku, h.product, h.title, h.options, h.quantity,"
    " h.price_minor, h.currency, h.deal, h.show, h.order_id, h.state, h.extended,"
    " floor(extract(epoch FROM h.expires_at) * 1000)::bigint - CAST(:grace AS bigint)"
    " AS expires_at_ms"
    " FROM unnest(CAST(:buyers AS text[]), CAST(:keys AS text[])) AS asked(buyer, key)"
    " JOIN holds h ON h.buyer = asked.buyer AND h.idempotency_key = asked.key"
)

_DEALT: Final = text(
    "SELECT h.deal, h.buyer, sum(h.quantity)::bigint AS units"
    " FROM unnest(CAST(:deals AS text[]), CAST(:buyers AS text[])) AS asked(deal, buyer)"
    " JOIN holds h ON h.deal = asked.deal AND h.buyer = asked.buyer"
    " WHERE h.state IN ('held', 'ordered', 'paying', 'sold') GROUP BY h.deal, h.buyer"
)

_INSERT: Final = text(
    "INSERT INTO holds (id, buyer, idempotency_key, sku, product, title, options, quantity,"
    " price_minor, currency, deal, show, state, expires_at)"
    " SELECT new.id, new.buyer, new.key, new.sku, skus.product, products.title, skus.options,"
    " new.quantity, new.price_minor, products.currency, new.deal, new.show, 'held',"
    " to_timestamp(new.expires_at_ms / 1000.0)"
    " FROM unnest(CAST(:ids AS text[]), CAST(:buyers AS text[]), CAST(:keys AS text[]),"
    " CAST(:skus AS text[]), CAST(:quantities AS int[]), CAST(:prices AS bigint[]),"
    " CAST(:deals AS text[]), CAST(:shows AS text[]), CAST(:expiries AS bigint[]))"
    " AS new(id, buyer, key, sku, quantity, price_minor, deal, show, expires_at_ms)"
    " JOIN skus ON skus.id = new.sku JOIN products ON products.id = skus.product"
)

_COUNT: Final = text(
    "WITH told AS (UPDATE products SET version = version + 1 WHERE id = ANY(:products))"
    " UPDATE skus SET on_hand = skus.on_hand + new.change, free = new.free, held = new.held,"
    " sold = new.sold FROM unnest(CAST(:ids AS text[]), CAST(:changes AS int[]),"
    " CAST(:free AS int[]), CAST(:held AS int[]), CAST(:sold AS int[]))"
    " AS new(id, change, free, held, sold)"
    " WHERE skus.id = new.id"
)

_TURN: Final = text(
    "UPDATE holds SET state = new.state"
    " FROM unnest(CAST(:ids AS text[]), CAST(:states AS text[])) AS new(id, state)"
    " WHERE holds.id = new.id"
)


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


async def read_clock(connection: AsyncConnection) -> int:
    """The database's time in milliseconds, of this moment and not of the transaction's begin."""
    return int((await connection.execute(select(CLOCK))).scalar_one())


async def lock_skus(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Sku]:
    """Lock products in id order; all their SKUs by id."""
    return await _lock(connection, products.c.id.in_(sorted(set(ids))))


async def lock_asked(
    connection: AsyncConnection, requests: Sequence[HoldRequest]
) -> dict[str, Sku]:
    """Lock the products that requests ask for; all their SKUs by id."""
    wanted = {line.sku for request in requests for line in request.lines}
    theirs = select(skus.c.product).where(skus.c.id.in_(sorted(wanted)))
    return await _lock(connection, products.c.id.in_(theirs))


async def _lock(connection: AsyncConnection, chosen: ColumnElement[bool]) -> dict[str, Sku]:
    """Lock first, read the SKUs in the next statement, which sees what the last holder wrote."""
    query = (
        select(products.c.id)
        .where(chosen)
        .order_by(products.c.id)
        .with_for_update(key_share=True, of=products)
    )
    ids = list((await connection.execute(query)).scalars())
    theirs = select(*SKU).join(products, products.c.id == skus.c.product)
    theirs = theirs.where(skus.c.product.in_(ids)).order_by(skus.c.product, skus.c.position)
    return {row.id: _to_sku(row) for row in await connection.execute(theirs)}


def _to_sku(row: Row[Any]) -> Sku:
    return Sku(
        id=row.id,
        product=row.product,
        store=row.store,
        title=row.title,
        options=tuple(row.options),
        price_minor=row.price_minor,
        currency=row.currency,
        limit_per_buyer=row.limit_per_buyer,
        version=row.version,
        counters=Counters(row.free, row.held, row.sold),
    )


async def lock_holds(connection: AsyncConnection, condition: Any) -> list[Units]:
    """Lock the holds that meet a condition, in id order; their products are locked already."""
    query = select(*UNITS).where(condition).order_by(holds.c.id).with_for_update(key_share=True)
    return [
        Units(row.id, row.sku, row.product, row.quantity, HoldState(row.state), row.deal)
        for row in await connection.execute(query)
    ]


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
    touched = sorted({sku.product for sku in changed.values()})
    await connection.execute(
        _COUNT,
        {
            "products": touched,
            "ids": list(changed),
            "changes": [
                sku.counters.on_hand - before[one].counters.on_hand for one, sku in changed.items()
            ],
            "free": [sku.counters.free for sku in changed.values()],
            "held": [sku.counters.held for sku in changed.values()],
            "sold": [sku.counters.sold for sku in changed.values()],
        },
    )
    families: dict[str, list[Sku]] = {product: [] for product in touched}
    for sku in before.values():
        if sku.product in families:
            families[sku.product].append(sku)
    for family in families.values():
        after = [replace(changed.get(sku.id, sku), version=sku.version + 1) for sku in family]
        await put(connection, family[0].store, event.moved(family, after))


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
        offers = offer(waiting, await _facts(connection, owners, now, now_ms))
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


async def insert_holds(connection: AsyncConnection, made: Sequence[tuple[str, str, Hold]]) -> None:
    """Write new holds, each with its buyer and idempotency key, in one statement."""
    if not made:
        return
    await connection.execute(
        _INSERT,
        {
            "ids": [hold.id for _, _, hold in made],
            "buyers": [buyer for buyer, _, _ in made],
            "keys": [key for _, key, _ in made],
            "skus": [hold.sku for _, _, hold in made],
            "quantities": [hold.quantity for _, _, hold in made],
            "prices": [hold.price_minor for _, _, hold in made],
            "deals": [hold.deal for _, _, hold in made],
            "shows": [hold.show for _, _, hold in made],
            "expiries": [hold.expires_at_ms + GRACE_MS for _, _, hold in made],
        },
    )


class SqlBatch:
    """An open transaction on locked SKUs."""

    def __init__(self, connection: AsyncConnection, facts: Facts) -> None:
        self._connection = connection
        self.facts = facts

    async def keep(self, requests: Sequence[HoldRequest], outcome: Outcome) -> None:
        """Write the granted holds in one statement, their movements and the counters in others."""
        granted = [
            (request.buyer, request.key, hold)
            for request, decision in zip(requests, outcome.decisions, strict=True)
            if isinstance(decision, Granted)
            for hold in decision.holds
        ]
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
            kept = await _kept(connection, requests, now_ms)
            owners = [(line.sku, one.buyer) for one in requests for line in one.lines]
            facts = await _facts(connection, owners, locked, now_ms)
            facts = replace(facts, kept=kept, hold_ms=hold_ms)
            yield SqlBatch(connection, facts)

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
            lone = and_(due, holds.c.order_id.is_(None), holds.c.id.in_([r.id for r in seen]))
            ordered = and_(holds.c.state.in_(LIVE), holds.c.order_id.in_(over))
            chosen = lone | ordered
            wanted = await connection.execute(select(holds.c.product).where(chosen).distinct())
            locked = await lock_skus(connection, wanted.scalars())
            units = await lock_holds(connection, and_(chosen, holds.c.sku.in_(list(locked))))
            await turn_holds(connection, units, HoldEvent.EXPIRE, locked)
            await _expire_orders(connection, over)
            await give_back(connection, over)
        return len(seen)


async def _lock_due(connection: AsyncConnection, ids: set[str], due: Any) -> list[str]:
    """Lock those of the orders that are placed and have a hold past its deadline, in id order."""
    query = (
        select(orders.c.id)
        .where(orders.c.id.in_(sorted(ids)), orders.c.state == OrderState.PLACED)
        .where(exists().where(holds.c.order_id == orders.c.id, due))
        .order_by(orders.c.id)
        .with_for_update(key_share=True)
    )
    return list((await connection.execute(query)).scalars())


async def _expire_orders(connection: AsyncConnection, ids: Sequence[str]) -> None:
    if ids:
        change = orders.update().where(orders.c.id.in_(ids)).values(state=OrderState.EXPIRED)
        await connection.execute(change)


async def _kept(
    connection: AsyncConnection, requests: Sequence[HoldRequest], now_ms: int
) -> dict[tuple[str, str], tuple[Hold, ...]]:
    owners = {(request.buyer, request.key) for request in requests}
    asked: dict[str, Any] = {
        "buyers": [buyer for buyer, _ in owners],
        "keys": [key for _, key in owners],
        "grace": GRACE_MS,
    }
    kept: dict[tuple[str, str], tuple[Hold, ...]] = {}
    for row in await connection.execute(_KEPT, asked):
        whose = (row.buyer, row.idempotency_key)
        kept[whose] = (*kept.get(whose, ()), to_hold(row, now_ms))
    return kept


async def _facts(
    connection: AsyncConnection,
    owners: Sequence[tuple[str, str]],
    locked: Mapping[str, Sku],
    now_ms: int,
) -> Facts:
    """What is true of locked SKUs and those who want them: each SKU with a buyer in `owners`."""
    deals = await ruling_deals(connection, (sku.product for sku in locked.values()))
    return Facts(
        skus=locked,
        units=await read_units(connection, owners, locked),
        kept={},
        now_ms=now_ms,
        hold_ms=0,
        deals=deals,
        dealt=await _dealt(connection, {buyer for _, buyer in owners}, deals),
    )


async def _dealt(
    connection: AsyncConnection, buyers: Collection[str], deals: Mapping[str, Deal]
) -> dict[tuple[str, str], int]:
    """What the buyers already have at the prices of deals that have a limit."""
    limited = [deal.id for deal in deals.values() if deal.limit_per_buyer is not None]
    owners = {(deal, buyer) for deal in limited for buyer in buyers}
    if not owners:
        return {}
    asked = {"deals": [deal for deal, _ in owners], "buyers": [buyer for _, buyer in owners]}
    rows = await connection.execute(_DEALT, asked)
    return {(row.deal, row.buyer): row.units for row in rows}
