"""Payment attempts in PostgreSQL. Every act on one locks its order first, so that a claim, a
cancellation and a deadline never cross; an act whose time has passed changes nothing.

`claimed_at` says that the order's units wait for this attempt, and since when.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, insert, null, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cart.adapters.database import Database
from cart.adapters.due import AS_NEW, take_due
from cart.adapters.orders import advance, lock_order
from cart.adapters.tables import orders, payments
from cart.core.order import Order, OrderEvent, OrderState, payable
from cart.core.payment import ATTEMPTS_LIMIT, OPEN, UNSETTLED, Attempt, AttemptEvent, after
from cart.ports.answers import Full
from cart.ports.payments import Payment

CLAIM_CAP: Final = text("interval '1 hour'")
"""A claim older than this is called off at the provider instead of charged again."""

PAYMENT: Final = (
    payments,
    orders.c.state.label("order_state"),
    func.coalesce(payments.c.claimed_at + CLAIM_CAP < func.clock_timestamp(), False).label(
        "overdue"
    ),
)


class SqlPaymentBook:
    """Payment attempts in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, order: str, payment: str, provider: str) -> Payment | Full | None:
        """The order's open attempt, made if there is none; None when it cannot be paid now.

        An attempt at another provider that has not been claimed yet is called off for it.
        """
        async with self._database.writing() as connection:
            found = await lock_order(connection, order)
            if not payable(found):
                return None
            attempts = await _read(connection, payments.c.order_id == order, ATTEMPTS_LIMIT)
            earlier = next((one for one in attempts if one.state in OPEN), None)
            if earlier is not None and earlier.provider == provider:
                return earlier
            if len(attempts) == ATTEMPTS_LIMIT:
                return Full()
            voided = earlier and await _step(connection, earlier, AttemptEvent.VOID)
            if voided is not None and voided is earlier:
                return None
            fresh = Payment(
                id=payment,
                order=order,
                provider=provider,
                reference="",
                amount_minor=found.total_minor,
                currency=found.currency,
                state=Attempt.CREATED,
                order_state=found.state,
                overdue=False,
            )
            said = ("id", "provider", "amount_minor", "currency", "state")
            row = {name: getattr(fresh, name) for name in said} | {"order_id": order}
            await connection.execute(insert(payments).values(row))
            return fresh

    async def refer(self, payment: str, reference: str) -> bool:
        """Keep what the provider calls the attempt; False when nobody may pay it any more."""
        payable_still = (payments.c.id == payment) & (payments.c.state == Attempt.CREATED)
        change = update(payments).where(payable_still).values(reference=reference)
        async with self._database.writing() as connection:
            return (await connection.execute(change)).rowcount == 1

    async def payment(self, payment: str) -> Payment | None:
        """The attempt of that id."""
        async with self._database.reading() as connection:
            found = await _read(connection, payments.c.id == payment, 1)
        return found[0] if found else None

    async def latest(self, order: str) -> Payment | None:
        """The newest attempt of an order."""
        async with self._database.reading() as connection:
            found = await _read(connection, payments.c.order_id == order, 1)
        return found[0] if found else None

    async def claim(self, payment: str) -> Payment:
        """Suspend expiry of the order's holds if they are still there; else void the attempt."""
        async with self._locked(payment) as (connection, order, attempt):
            if after(attempt.state, AttemptEvent.CLAIM) is None:
                return attempt
            claimed = None
            if payable(order):
                claimed = await advance(connection, order, OrderEvent.CLAIM)
            if claimed is None:
                return await _step(connection, attempt, AttemptEvent.VOID, claimed_at=null())
            since = func.clock_timestamp()
            waiting = await _step(connection, attempt, AttemptEvent.CLAIM, claimed_at=since)
            return replace(waiting, order_state=claimed.state)

    async def fall_silent(self, payment: str) -> Payment:
        """The provider's answer never came: keep everything, ask later."""
        async with self._locked(payment) as (connection, _, attempt):
            return await _step(connection, attempt, AttemptEvent.FALL_SILENT)

    async def sell(self, payment: str) -> Payment:
        """The money is there: the claimed units are sold."""
        async with self._locked(payment) as (connection, order, attempt):
            settled = await _step(connection, attempt, AttemptEvent.CONFIRM, claimed_at=null())
            if settled is attempt:
                return attempt
            sold = await advance(connection, order, OrderEvent.SELL)
            assert sold is not None, "a claim lost its units"
            return replace(settled, order_state=sold.state)

    async def decline(self, payment: str) -> Payment:
        """There will be no money: a claim is let go, the order can be paid another way."""
        async with self._locked(payment) as (connection, order, attempt):
            return await _let_go(connection, order, attempt, AttemptEvent.DECLINE)

    async def refuse(self, payment: str) -> Payment:
        """The charge was refused: a claim is let go, what is still authorized must be given up."""
        async with self._locked(payment) as (connection, order, attempt):
            return await _let_go(connection, order, attempt, AttemptEvent.VOID)

    async def void(self, payment: str) -> Payment:
        """The money, should it come or have come, must go back; a claim stays until it has."""
        async with self._locked(payment) as (connection, _, attempt):
            return await _step(connection, attempt, AttemptEvent.VOID)

    async def finish_void(self, payment: str) -> Payment:
        """The provider has called the payment off: a claim is let go."""
        async with self._locked(payment) as (connection, order, attempt):
            return await _let_go(connection, order, attempt, AttemptEvent.FINISH_VOID)

    async def due(self, provider: str, limit: int) -> Sequence[str]:
        """Unsettled attempts it is time to ask a provider about; each is given later next time."""
        unsettled = (payments.c.provider == provider) & payments.c.state.in_(UNSETTLED)
        return await take_due(self._database, payments, unsettled, limit)

    @asynccontextmanager
    async def _locked(self, payment: str) -> AsyncIterator[tuple[AsyncConnection, Order, Payment]]:
        async with self._database.writing() as connection:
            whose = select(payments.c.order_id).where(payments.c.id == payment)
            order = await lock_order(connection, whose.scalar_subquery())
            # The order is locked by a statement before, so this one sees both rows as they are.
            lock = _select(payments.c.id == payment).with_for_update(key_share=True, of=payments)
            yield connection, order, to_payment((await connection.execute(lock)).one())


async def _step(
    connection: AsyncConnection, attempt: Payment, happened: AttemptEvent, **columns: Any
) -> Payment:
    """Let an event happen to a locked attempt, which is then asked about as if it were new.

    The attempt as it is then; the very same, and nothing changed, if it cannot.
    """
    state = after(attempt.state, happened)
    if state is None:
        return attempt
    change = update(payments).where(payments.c.id == attempt.id)
    await connection.execute(change.values(state=state, **AS_NEW, **columns))
    return replace(attempt, state=state, overdue=attempt.overdue and "claimed_at" not in columns)


async def _let_go(
    connection: AsyncConnection, order: Order, attempt: Payment, happened: AttemptEvent
) -> Payment:
    """Let an attempt go on without units: if any wait for its money, they wait no longer."""
    mine = select(payments.c.claimed_at).where(payments.c.id == attempt.id)
    claimed_at = (await connection.execute(mine)).scalar_one()
    ended = await _step(connection, attempt, happened, claimed_at=null())
    if ended is attempt or claimed_at is None:
        return ended
    freed = await advance(connection, order, OrderEvent.LET_GO)
    assert freed is not None, "a claim lost its units"
    return replace(ended, order_state=freed.state)


async def _read(
    connection: AsyncConnection, condition: ColumnElement[bool], limit: int
) -> list[Payment]:
    """The newest attempts first."""
    newest = _select(condition).order_by(payments.c.created_at.desc()).limit(limit)
    return [to_payment(row) for row in await connection.execute(newest)]


def _select(condition: ColumnElement[bool]) -> Select[Any]:
    return select(*PAYMENT).join(orders, orders.c.id == payments.c.order_id).where(condition)


def to_payment(row: Row[Any]) -> Payment:
    """A row of `PAYMENT`, joined with its order, as an attempt."""
    return Payment(
        id=row.id,
        order=row.order_id,
        provider=row.provider,
        reference=row.reference,
        amount_minor=row.amount_minor,
        currency=row.currency,
        state=Attempt(row.state),
        order_state=OrderState(row.order_state),
        overdue=row.overdue,
    )
