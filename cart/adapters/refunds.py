"""Refunds in PostgreSQL: the order's row first, then its payment, then products and holds.

Units come back by the holds they were sold from. A hold of which only a part comes back is split
before: the part becomes a hold of its own, so that every unit always lies in exactly one hold.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, and_, exists, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.discounts import give_back, refund_points
from cart.adapters.due import AS_NEW, take_due
from cart.adapters.hold_rows import lock_holds
from cart.adapters.moving import turn_holds
from cart.adapters.orders import advance, lock_order, read_order
from cart.adapters.outbox import put
from cart.adapters.payments import PAYMENT, to_payment
from cart.adapters.refund_tables import refund_lines, refunds
from cart.adapters.sku_rows import lock_skus
from cart.adapters.tables import holds, orders, payments
from cart.core import event
from cart.core.hold import HoldEvent, HoldState
from cart.core.movement import Units
from cart.core.order import Order, OrderEvent, OrderState
from cart.core.payment import Attempt
from cart.core.quote import refund_split
from cart.core.refund import (
    REFUNDS_LIMIT,
    UNSETTLED,
    NoSuchUnits,
    NothingLeft,
    Planned,
    RefundEvent,
    RefundFacts,
    RefundState,
    after,
    plan,
)
from cart.ports.answers import Full, KeyUsed
from cart.ports.payments import NotPaid, RefundRequest, Repayment, Requested, TooMuch

REFUNDABLE: Final = (OrderState.PAID, OrderState.CANCELLED)

_SPLIT: Final = text(
    "INSERT INTO holds SELECT (jsonb_populate_record(h, jsonb_build_object("
    "'id', CAST(:part AS text), 'idempotency_key', CAST(:part AS text),"
    " 'quantity', CAST(:quantity AS int)))).* FROM holds h WHERE h.id = :hold"
)
"""A part of a hold as a hold of its own, whatever else a hold's row says of it."""


class SqlRefundBook:
    """Refunds in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(self, request: RefundRequest) -> Requested:
        """Write a refund down, and put its units back on sale if that is wanted; the order."""
        async with self._database.writing() as connection:
            await lock_order(connection, request.order)
            earlier = await _earlier(connection, request)
            if earlier is not None:
                return earlier
            order = await read_order(connection, request.order)
            paid = await _lock_payment(connection, request.order)
            free = order.state == OrderState.PAID and order.total_minor == 0
            if order.state not in REFUNDABLE or (paid is None and not free):
                return NotPaid(order.state)
            if len(order.refunds) >= REFUNDS_LIMIT:
                return Full()
            returned = _returned(order)
            decided = _decide(request, order, paid, returned)
            if not isinstance(decided, Planned):
                return decided
            await _write(connection, request, order, paid, decided)
            if request.restock and any(decided.back):
                await _restock(connection, request.id, order, decided.back)
            now = await read_order(connection, request.order)
            if now.state == OrderState.PAID:
                await _give_back(connection, now, request.id, decided.back, returned)
            written = next(one for one in now.refunds if one.id == request.id)
            await put(connection, now.store, event.refund_moved(now, written))
            if now.state == order.state:
                await put(connection, now.store, [event.order_changed(now)])
            return now

    async def refund(self, refund: str) -> Repayment | None:
        """The refund of that id, if money is to move for it."""
        async with self._database.reading() as connection:
            return await _read(connection, refund)

    async def refunds_of(self, payment: str) -> Sequence[Repayment]:
        """The unsettled refunds of a payment."""
        theirs = (refunds.c.payment == payment) & refunds.c.state.in_(UNSETTLED)
        query = select(refunds.c.id).where(theirs).order_by(refunds.c.created_at)
        async with self._database.reading() as connection:
            ids = (await connection.scalars(query)).all()
            read = [await _read(connection, one) for one in ids]
        return [one for one in read if one is not None]

    async def step(self, refund: str, happened: RefundEvent) -> Repayment:
        """Let an event happen to a refund, if it can; both sides are told of its end."""
        async with self._database.writing() as connection:
            whose = select(refunds.c.order_id).where(refunds.c.id == refund)
            order = (await connection.execute(whose)).scalar_one()
            await lock_order(connection, order)
            repayment = await _read(connection, refund)
            assert repayment is not None, "refunds are never deleted"
            state = after(repayment.state, happened)
            if state is not None:
                await _become(connection, repayment, state)
                if state in (RefundState.DONE, RefundState.FAILED):
                    now = await read_order(connection, order)
                    ended = next(one for one in now.refunds if one.id == refund)
                    told = [*event.refund_moved(now, ended), event.order_changed(now)]
                    await put(connection, now.store, told)
            now_is = await _read(connection, refund)
            assert now_is is not None
            return now_is

    async def due(self, provider: str, limit: int) -> Sequence[str]:
        """Unsettled refunds it is time to ask a provider about; each is given later next time."""
        theirs = (payments.c.id == refunds.c.payment) & (payments.c.provider == provider)
        unsettled = refunds.c.state.in_(UNSETTLED) & exists().where(theirs)
        return await take_due(self._database, refunds, unsettled, limit)


async def _give_back(
    connection: AsyncConnection,
    order: Order,
    refund: str,
    back: Sequence[int],
    before: Sequence[int],
) -> None:
    """Let points, and at the last unit the coupon, follow what goes back of a paid order.

    An order that is cancelled by it has given back all of them already.
    """
    left = [line.quantity - then for line, then in zip(order.lines, before, strict=True)]
    if left == [*back]:
        await give_back(connection, [order.id])
        return
    split = refund_split(order, back=back, before=before)
    await refund_points(connection, order, refund, split.points_minor)


def _returned(order: Order) -> list[int]:
    """The units of each line that went back already."""
    returned = [0] * len(order.lines)
    for refund in order.refunds:
        # Units of a refund that failed came back all the same.
        for line in refund.lines:
            returned[line.line] += line.quantity
    return returned


def _decide(
    request: RefundRequest, order: Order, paid: Row[Any] | None, returned: Sequence[int]
) -> Planned | NoSuchUnits | NothingLeft | TooMuch:
    """What goes back, its money known and within what is left."""
    paid_minor, refunded_minor = (paid.amount_minor, paid.refunded_minor) if paid else (0, 0)
    bought = [line.quantity for line in order.lines]
    planned = plan(request.wish, RefundFacts(paid_minor, refunded_minor, bought, returned))
    if not isinstance(planned, Planned):
        return planned
    amount = planned.amount_minor
    if amount is None:
        amount = refund_split(order, back=planned.back, before=returned).money_minor
    left_minor = paid_minor - refunded_minor
    return Planned(planned.back, amount) if amount <= left_minor else TooMuch(left_minor)


async def _earlier(connection: AsyncConnection, request: RefundRequest) -> Order | KeyUsed | None:
    same = and_(
        refunds.c.order_id == request.order,
        refunds.c.by == request.by,
        refunds.c.idempotency_key == request.key,
    )
    row = (await connection.execute(select(refunds.c.digest).where(same))).first()
    if row is None:
        return None
    if row.digest != request.digest:
        return KeyUsed()
    return await read_order(connection, request.order)


async def _lock_payment(connection: AsyncConnection, order: str) -> Row[Any] | None:
    taken = and_(payments.c.order_id == order, payments.c.state == Attempt.CONFIRMED)
    query = select(payments).where(taken).with_for_update(key_share=True)
    return (await connection.execute(query)).first()


async def _write(
    connection: AsyncConnection,
    request: RefundRequest,
    order: Order,
    paid: Row[Any] | None,
    planned: Planned,
) -> None:
    amount_minor = planned.amount_minor or 0
    moves = paid is not None and amount_minor > 0
    await connection.execute(
        insert(refunds).values(
            id=request.id,
            order_id=order.id,
            payment=paid.id if paid else None,
            idempotency_key=request.key,
            digest=request.digest,
            by=request.by,
            amount_minor=amount_minor,
            restocked=request.restock and any(planned.back),
            reason=request.reason,
            state=RefundState.REQUESTED if moves else RefundState.DONE,
        )
    )
    lines = [
        {"refund": request.id, "position": position, "quantity": quantity}
        for position, quantity in enumerate(planned.back)
        if quantity
    ]
    if lines:
        await connection.execute(insert(refund_lines), lines)
    if paid is not None:
        change = update(payments).where(payments.c.id == paid.id)
        more = payments.c.refunded_minor + amount_minor
        await connection.execute(change.values(refunded_minor=more))


async def _restock(
    connection: AsyncConnection, refund: str, order: Order, back: Sequence[int]
) -> None:
    """Put units back on sale; an order none of whose units stay sold is cancelled."""
    locked = await lock_skus(connection, (line.product for line in order.lines))
    sold = and_(holds.c.order_id == order.id, holds.c.state == HoldState.SOLD)
    mine = await lock_holds(connection, sold)
    costs = select(holds.c.id, holds.c.price_minor).where(sold)
    prices = {row.id: row.price_minor for row in await connection.execute(costs)}
    if sum(units.quantity for units in mine) == sum(back):
        now = await read_order(connection, order.id)
        assert await advance(connection, now, OrderEvent.CANCEL) is not None
        return
    returning: list[Units] = []
    for line, quantity in zip(order.lines, back, strict=True):
        left = quantity
        for units in mine:
            if left and (units.sku, prices[units.hold]) == (line.sku, line.price_minor):
                part = await _part(connection, refund, units, min(left, units.quantity))
                left -= part.quantity
                returning.append(part)
        assert left == 0, "more came back than was sold"
    assert await turn_holds(connection, returning, HoldEvent.RELEASE, locked)


async def _part(connection: AsyncConnection, refund: str, units: Units, quantity: int) -> Units:
    """So many units of a sold hold as one that may be released: itself, or a part split off."""
    if quantity == units.quantity:
        return units
    part = f"{refund}-{units.hold}"
    said = {"part": part, "quantity": quantity, "hold": units.hold}
    await connection.execute(_SPLIT, said)
    smaller = update(holds).where(holds.c.id == units.hold)
    await connection.execute(smaller.values(quantity=units.quantity - quantity))
    return replace(units, hold=part, quantity=quantity)


async def _become(connection: AsyncConnection, repayment: Repayment, state: RefundState) -> None:
    change = update(refunds).where(refunds.c.id == repayment.id)
    await connection.execute(change.values(state=state, **AS_NEW))
    if state == RefundState.FAILED:
        paid = update(payments).where(payments.c.id == repayment.payment.id)
        less = payments.c.refunded_minor - repayment.amount_minor
        await connection.execute(paid.values(refunded_minor=less))


async def _read(connection: AsyncConnection, refund: str) -> Repayment | None:
    mine = select(refunds).where(refunds.c.id == refund, refunds.c.payment.is_not(None))
    row = (await connection.execute(mine)).first()
    if row is None:
        return None
    query = select(*PAYMENT).join(orders, orders.c.id == payments.c.order_id)
    paid = (await connection.execute(query.where(payments.c.id == row.payment))).one()
    return Repayment(row.id, to_payment(paid), row.amount_minor, RefundState(row.state))
