"""Orders in PostgreSQL, and how an order's event takes its holds and units along."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    Text,
    and_,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters import discounts
from cart.adapters.database import Database
from cart.adapters.hold_rows import HOLD, lock_holds, to_hold
from cart.adapters.moving import turn_holds
from cart.adapters.outbox import put
from cart.adapters.shelf import to_delivery
from cart.adapters.sku_rows import CLOCK, lock_skus, read_clock
from cart.adapters.tables import among, holds, milliseconds, order_lines, orders, products, stores
from cart.adapters.waits import end_offers
from cart.core import event
from cart.core.delivery import Delivery
from cart.core.hold import GRACE_MS, Hold, HoldState
from cart.core.movement import STILL
from cart.core.order import (
    HOLDS_FOLLOW,
    Basket,
    Line,
    Order,
    OrderEvent,
    OrderState,
    Recipient,
    after,
    fill,
    payable,
    seller_hears,
)
from cart.core.quote import Facts, Quote, Wish, make
from cart.core.refund import Refund, RefundState
from cart.ports.answers import KeyUsed
from cart.ports.orders import NoSuchHold, Place, Placed, Placement, PriceDiffers, Unquotable
from cart.settling import OVER

_LINES: Final[ColumnElement[str]] = literal_column(
    "(SELECT jsonb_agg(to_jsonb(l) ORDER BY l.position)::text"
    " FROM order_lines l WHERE l.order_id = orders.id)",
    Text,
)

_REFUNDS: Final[ColumnElement[str]] = literal_column(
    "(SELECT coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object("
    "'created_at_ms', floor(extract(epoch FROM r.created_at) * 1000)::bigint,"
    " 'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object("
    "'line', l.position, 'quantity', l.quantity) ORDER BY l.position), '[]')"
    " FROM refund_lines l WHERE l.refund = r.id)) ORDER BY r.created_at, r.id), '[]')::text"
    " FROM refunds r WHERE r.order_id = orders.id)",
    Text,
)

_LOCKED: Final = (
    orders,
    _LINES.label("lines"),
    milliseconds(orders.c.created_at).label("created_at_ms"),
    milliseconds(orders.c.expires_at).label("expires_at_ms"),
    CLOCK.label("now_ms"),
)

ORDER: Final = (*_LOCKED, _REFUNDS.label("refunds"))
"""An order in one row, all of it as of one moment."""

AMOUNTS: Final = (
    *("goods_minor", "coupon", "coupon_minor", "delivery_minor", "points_minor"),
    *("total_minor", "earns_minor"),
)
"""What an order keeps of its quote, besides the lines."""


async def advance(connection: AsyncConnection, order: Order, happened: OrderEvent) -> Order | None:
    """Let an event happen to a locked order, its holds and their units; None when it cannot."""
    state = after(order.state, happened)
    if state is None:
        return None
    follows = HOLDS_FOLLOW[happened]
    moving = () if follows in STILL else (line.product for line in order.lines)
    locked = await lock_skus(connection, moving) if moving else {}
    mine = and_(
        holds.c.order_id == order.id, holds.c.state.not_in([HoldState.RELEASED, HoldState.EXPIRED])
    )
    units = await lock_holds(connection, mine)
    if not units or not await turn_holds(connection, units, follows, locked):
        return None
    await connection.execute(update(orders).where(orders.c.id == order.id).values(state=state))
    now = msgspec.structs.replace(order, state=state)
    if happened == OrderEvent.SELL:
        await discounts.settle(connection, now)
    elif state in OVER:
        await discounts.give_back(connection, [order.id])
    if seller_hears(order.state, state):
        await put(connection, now.store, [event.order_changed(now)])
    return now


async def lock_order(connection: AsyncConnection, order: str | ScalarSelect[str]) -> Order:
    """Lock an order's row, before anything else of it; the order without its refunds.

    Those are other rows, of which a statement that had to wait would see what was before.
    """
    query = select(*_LOCKED).where(orders.c.id == order)
    locked = query.with_for_update(key_share=True, of=orders)
    return _order((await connection.execute(locked)).one(), ())


async def read_order(connection: AsyncConnection, order: str) -> Order:
    """An order that exists."""
    (found,) = await _read(connection, select(*ORDER).where(orders.c.id == order))
    return found


class SqlOrderBook:
    """Orders in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def place(self, placement: Placement) -> Place:
        """Turn a buyer's holds into an order."""
        async with self._database.writing() as connection:
            placed = await _place(connection, placement)
        if placed is not None:
            return placed
        # Another request with the same key won while we worked: its order is the answer.
        async with self._database.reading() as connection:
            earlier = await _earlier(connection, placement)
        assert earlier is not None
        return earlier

    async def quote(self, buyer: str, holds: Sequence[str], wish: Wish) -> Quote | Unquotable:
        """What an order of a buyer's holds would cost now."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(_theirs(buyer, holds))).all()
            reckoned = await _reckon(connection, rows, buyer, holds, wish, lock=False)
        return reckoned[0] if isinstance(reckoned, tuple) else reckoned

    async def held(self, buyer: str, store: str) -> tuple[Sequence[Hold], int]:
        """A buyer's HELD units of a store, oldest first, and the time."""
        query = (
            select(*HOLD)
            .join(products, products.c.id == holds.c.product)
            .where(products.c.store == store, holds.c.buyer == buyer)
            .where(holds.c.state == HoldState.HELD, holds.c.expires_at > func.clock_timestamp())
            .order_by(holds.c.created_at, holds.c.id)
        )
        async with self._database.reading() as connection:
            now_ms = await read_clock(connection)
            return [to_hold(row, now_ms) for row in await connection.execute(query)], now_ms

    async def sell_free(self, order: str) -> Order | None:
        """Claim and sell at once an order that costs nothing; None when it cannot be paid now."""
        async with self._database.writing() as connection:
            found = await lock_order(connection, order)
            if not payable(found):
                return None
            assert found.total_minor == 0, "it costs something"
            # Selling needs the products' locks, which come before those the claim takes.
            await lock_skus(connection, (line.product for line in found.lines))
            claimed = await advance(connection, found, OrderEvent.CLAIM)
            return None if claimed is None else await advance(connection, claimed, OrderEvent.SELL)

    async def order(self, order: str) -> Order | None:
        """The order of that id."""
        async with self._database.reading() as connection:
            found = await _read(connection, select(*ORDER).where(orders.c.id == order))
        return found[0] if found else None

    async def orders_of(self, buyer: str, limit: int) -> Sequence[Order]:
        """A buyer's orders, newest first."""
        return await self._newest(orders.c.buyer == buyer, limit)

    async def has_bought(self, buyer: str, store: str) -> bool:
        """Whether an order of this buyer in the store is paid."""
        paid = (orders.c.buyer == buyer) & (orders.c.store == store)
        paid &= orders.c.state == OrderState.PAID
        async with self._database.reading() as connection:
            return bool(await connection.scalar(select(exists().where(paid))))

    async def orders_for(self, store: str, before: str, limit: int) -> Sequence[Order]:
        """A store's orders, newest first; with `before`, an id, those that came before it."""
        mine = orders.c.store == store
        if before:
            other = orders.alias()
            its_own = (other.c.store == store) & (other.c.id == before)
            then = select(other.c.created_at).where(its_own).scalar_subquery()
            # Said twice, so that the index finds the moment and the id parts orders of one moment.
            mine &= orders.c.created_at <= then
            mine &= (orders.c.created_at < then) | (orders.c.id < before)
        return await self._newest(mine, limit)

    async def cancel(self, order: str) -> Order | None:
        """Cancel an order nobody has paid and return its units."""
        async with self._database.writing() as connection:
            found = await lock_order(connection, order)
            if found.state != OrderState.PLACED:
                return None
            return await advance(connection, found, OrderEvent.CANCEL)

    async def _newest(self, condition: Any, limit: int) -> Sequence[Order]:
        query = select(*ORDER).where(condition)
        async with self._database.reading() as connection:
            newest = query.order_by(orders.c.created_at.desc(), orders.c.id.desc())
            return await _read(connection, newest.limit(limit))


async def _place(connection: AsyncConnection, placement: Placement) -> Place | None:
    """Place it in the open transaction; None when its key was used meanwhile."""
    locked = _theirs(placement.buyer, placement.holds)
    locked = locked.with_for_update(key_share=True, of=holds)
    rows = (await connection.execute(locked)).all()
    reckoned = await _reckon(
        connection, rows, placement.buyer, placement.holds, placement.wish, lock=True
    )
    if not isinstance(reckoned, tuple):
        # What an earlier request with this key ordered cannot be ordered now: it is the answer.
        return await _earlier(connection, placement) or reckoned
    quote, facts = reckoned
    if quote.total_minor != placement.total_minor:
        return await _earlier(connection, placement) or PriceDiffers(quote)
    placed = await _write(connection, placement, quote, facts.now_ms)
    if placed is None:
        return None
    await discounts.take(connection, placed, facts.coupon)
    return Placed(placed)


def _theirs(buyer: str, wanted: Sequence[str]) -> Select[Any]:
    """A buyer's holds, each with its seller's terms and the time."""
    terms = [stores.c[f"delivery_{name}"] for name in Delivery.__struct_fields__]
    query = select(*HOLD, products.c.store, stores.c.points_percent, *terms, CLOCK.label("now_ms"))
    query = query.join(products, products.c.id == holds.c.product)
    query = query.join(stores, stores.c.slug == products.c.store)
    theirs = and_(among(holds.c.id, wanted), holds.c.buyer == buyer)
    return query.where(theirs).order_by(holds.c.id)


async def _reckon(
    connection: AsyncConnection,
    rows: Sequence[Row[Any]],
    buyer: str,
    wanted: Sequence[str],
    wish: Wish,
    *,
    lock: bool,
) -> tuple[Quote, Facts] | Unquotable:
    """The quote of holds, in the order they are wanted, and what it follows from."""
    if len(rows) != len(wanted):
        return NoSuchHold()
    seller, now_ms = rows[0], rows[0].now_ms
    found = {row.id: to_hold(row, now_ms) for row in rows}
    chosen = [found[one] for one in wanted]
    basket = fill(chosen, {row.product: row.store for row in rows}, now_ms)
    if not isinstance(basket, Basket):
        return basket
    facts = Facts(
        delivery=to_delivery(seller),
        points_percent=seller.points_percent,
        shows=frozenset(hold.show for hold in chosen),
        now_ms=now_ms,
    )
    facts = await discounts.read_facts(connection, buyer, basket.store, wish, facts, lock=lock)
    quote = make(basket, wish, facts)
    return (quote, facts) if isinstance(quote, Quote) else quote


async def _write(
    connection: AsyncConnection, placement: Placement, quote: Quote, now_ms: int
) -> Order | None:
    """Write the order, its lines and its holds' new deadline; None when the key is used."""
    deadline = func.to_timestamp((now_ms + placement.pay_within_ms) / 1000)
    fresh = upsert(orders).values(
        id=placement.id,
        store=quote.store,
        buyer=placement.buyer,
        idempotency_key=placement.key,
        digest=placement.digest,
        state=OrderState.PLACED,
        **{name: getattr(quote, name) for name in AMOUNTS},
        currency=quote.currency,
        recipient_name=placement.recipient.name,
        recipient_phone=placement.recipient.phone,
        recipient_postcode=placement.recipient.postcode,
        recipient_address=placement.recipient.address,
        expires_at=deadline,
    )
    fresh = fresh.on_conflict_do_nothing(index_elements=["buyer", "idempotency_key"])
    written = fresh.returning(
        milliseconds(orders.c.created_at).label("created_at_ms"),
        milliseconds(orders.c.expires_at).label("expires_at_ms"),
    )
    row = (await connection.execute(written)).first()
    if row is None:
        return None
    lines = [
        {
            "order_id": placement.id,
            "position": position,
            "sku": line.sku,
            "product": line.product,
            "title": line.title,
            "options": line.options,
            "quantity": line.quantity,
            "price_minor": line.price_minor,
            "coupon_minor": line.coupon_minor,
            "points_minor": line.points_minor,
        }
        for position, line in enumerate(quote.lines)
    ]
    await connection.execute(insert(order_lines), lines)
    ordered = update(holds).where(among(holds.c.id, placement.holds))
    await connection.execute(
        ordered.values(
            state=HoldState.ORDERED,
            order_id=placement.id,
            expires_at=func.to_timestamp((now_ms + placement.pay_within_ms + GRACE_MS) / 1000),
        )
    )
    await end_offers(connection, dict.fromkeys(placement.holds, HoldState.ORDERED))
    return Order(
        id=placement.id,
        buyer=placement.buyer,
        state=OrderState.PLACED,
        recipient=placement.recipient,
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        now_ms=now_ms,
        **msgspec.structs.asdict(quote),
    )


async def _earlier(connection: AsyncConnection, placement: Placement) -> Placed | KeyUsed | None:
    same = and_(orders.c.buyer == placement.buyer, orders.c.idempotency_key == placement.key)
    row = (await connection.execute(select(orders.c.id, orders.c.digest).where(same))).first()
    if row is None:
        return None
    if row.digest != placement.digest:
        return KeyUsed()
    return Placed(await read_order(connection, row.id))


async def _read(connection: AsyncConnection, query: Any) -> list[Order]:
    rows = (await connection.execute(query)).all()
    return [_order(row, msgspec.json.decode(row.refunds, type=tuple[Refund, ...])) for row in rows]


def _order(row: Row[Any], given_back: tuple[Refund, ...]) -> Order:
    return Order(
        id=row.id,
        store=row.store,
        buyer=row.buyer,
        state=OrderState(row.state),
        lines=msgspec.json.decode(row.lines, type=tuple[Line, ...]),
        **{name: getattr(row, name) for name in AMOUNTS},
        currency=row.currency,
        recipient=Recipient(
            name=row.recipient_name,
            phone=row.recipient_phone,
            postcode=row.recipient_postcode,
            address=row.recipient_address,
        ),
        created_at_ms=row.created_at_ms,
        expires_at_ms=row.expires_at_ms,
        now_ms=row.now_ms,
        refunded_minor=sum(
            one.amount_minor for one in given_back if one.state != RefundState.FAILED
        ),
        refunds=given_back,
    )
