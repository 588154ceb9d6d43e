"""A payment provider that takes no money: the whole conversation, switchable, on one machine.

It behaves as real ones do: the buyer decides on its page, our server takes the money, a signed
message follows. Its memory is tables of its own, so that it forgets nothing when killed. Whoever
decides may choose a trick with it, so that everything that goes wrong between a shop and a
provider can be seen to go wrong, and to be mended.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import Row, case, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.types import ASGIApp

from cart.adapters.database import Database
from cart.adapters.refund_tables import sandbox_refunds
from cart.adapters.signatures import is_signed, sign
from cart.adapters.tables import among, sandbox_notices, sandbox_payments
from cart.core.payment import Standing
from cart.core.refund import Going
from cart.ports.payments import Begun, Charge, Payment, ProviderSilent, Repayment
from cart.rounds import run_rounds

SIGNATURE: Final = "kkot-sandbox-signature"
"""The header that signs a message, as in signatures.py."""

NOTICE_LIMIT: Final = 32
TRIES_LIMIT: Final = 10
"""A message is posted this often, each time later; then it is given up."""

REPETITIONS: Final = 3
"""How often a message is posted that is to be repeated."""

POST_EVERY_S: Final = 1.0
WEBHOOK: Final = "/payments/sandbox/webhook"

_LATER: Final = text("interval '1 second' * power(2, tries)")
_DELAY: Final = text("interval '5 seconds'")
"""How late a delayed decision takes effect, and an overtaken message comes."""


class Trick(StrEnum):
    """What goes wrong with a payment that was approved.

    DELAY: the approval takes effect later. TIMEOUT: the first time the money is to be taken nothing
    happens and nothing is answered. SILENT: the money is taken, and given back, without an answer
    or a message. REPEAT: each message comes several times. REORDER: the message of the approval
    comes last. KEEP: refunds are refused.
    """

    NONE = ""
    DELAY = "delay"
    TIMEOUT = "timeout"
    SILENT = "silent"
    REPEAT = "repeat"
    REORDER = "reorder"
    KEEP = "keep"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """The message's body."""

    id: int
    payment: str
    standing: str


class Sandbox:
    """The provider. `secret`: signs its messages; the same on every node."""

    name: Final = "sandbox"

    def __init__(self, engine: AsyncEngine, *, secret: str) -> None:
        self._database = Database(engine)
        self._secret = hashlib.sha256(b"kkot sandbox webhook" + secret.encode()).digest()

    async def begin(self, charge: Charge) -> Begun:
        """Prepare a payment."""
        fresh = upsert(sandbox_payments).values(
            id=charge.payment,
            order_id=charge.order,
            title=charge.title,
            amount_minor=charge.amount_minor,
            currency=charge.currency,
            return_path=charge.return_path,
            standing=Standing.PENDING,
        )
        async with self._database.writing() as connection:
            await connection.execute(fresh.on_conflict_do_nothing())
        return Begun(f"/sandbox/payments/{charge.payment}", charge.payment)

    async def charge(self, payment: str) -> tuple[Charge, Standing] | None:
        """What the page shows of a payment."""
        async with self._database.reading() as connection:
            row = await _row(connection, payment)
        return None if row is None else (_charge(row), Standing(row.standing))

    async def decide(self, payment: str, decision: Standing, trick: Trick = Trick.NONE) -> None:
        """The buyer decided: AUTHORIZED or DECLINED. Only the first decision counts."""
        async with self._database.writing() as connection:
            row = await _row(connection, payment, lock=True)
            if row is not None and row.standing == Standing.PENDING:
                since = func.clock_timestamp() + _DELAY if trick == Trick.DELAY else func.now()
                await _become(connection, payment, decision, trick=trick, since=since)
                await _notify(connection, payment, decision, trick)

    async def confirm(self, payment: Payment) -> Standing:
        """Take the authorized money, if it is the amount that was agreed."""
        async with self._database.writing() as connection:
            row = await _row(connection, payment.id, lock=True)
            if row is None:
                return Standing.DECLINED
            standing, trick = Standing(row.standing_now), Trick(row.trick)
            if standing == Standing.AUTHORIZED and trick == Trick.TIMEOUT:
                await _become(connection, payment.id, standing, trick=Trick.NONE)
            elif standing in (Standing.PENDING, Standing.AUTHORIZED):
                good = standing == Standing.AUTHORIZED and _is_agreed(row, payment)
                standing = Standing.CONFIRMED if good else Standing.DECLINED
                await _become(connection, payment.id, standing)
                await _notify(connection, payment.id, standing, trick)
        if trick in (Trick.TIMEOUT, Trick.SILENT):
            raise ProviderSilent
        return standing

    async def look_up(self, payment: Payment) -> Standing:
        """What the sandbox knows; a payment that never got here is PENDING."""
        async with self._database.reading() as connection:
            row = await _row(connection, payment.id)
        return Standing.PENDING if row is None else Standing(row.standing_now)

    async def cancel(self, payment: Payment) -> Standing:
        """Call it off, even before it began."""
        stub = upsert(sandbox_payments).values(
            id=payment.id,
            order_id="",
            title="",
            amount_minor=0,
            currency="",
            return_path="/",
            standing=Standing.CANCELLED,
        )
        off = {"standing": Standing.CANCELLED, "since": func.now()}
        async with self._database.writing() as connection:
            await connection.execute(stub.on_conflict_do_update(index_elements=["id"], set_=off))
        return Standing.CANCELLED

    async def refund(self, repayment: Repayment) -> Going:
        """Give back so much; what was given back whole is CANCELLED."""
        payment = repayment.payment.id
        async with self._database.writing() as connection:
            row = await _row(connection, payment, lock=True)
            earlier = await _going(connection, repayment)
            if earlier is not Going.ABSENT:
                return earlier
            given = select(func.coalesce(func.sum(sandbox_refunds.c.amount_minor), 0)).where(
                sandbox_refunds.c.payment == payment, sandbox_refunds.c.going == Going.DONE
            )
            gone_minor = (await connection.execute(given)).scalar_one() + repayment.amount_minor
            if row is None or row.standing != Standing.CONFIRMED or gone_minor > row.amount_minor:
                return Going.FAILED
            keeps = row.trick == Trick.KEEP
            going = Going.FAILED if keeps else Going.DONE
            await connection.execute(
                insert(sandbox_refunds).values(
                    id=repayment.id,
                    payment=payment,
                    amount_minor=repayment.amount_minor,
                    going=going,
                )
            )
            if not keeps and gone_minor == row.amount_minor:
                await _become(connection, payment, Standing.CANCELLED)
        if row.trick == Trick.SILENT:
            raise ProviderSilent
        return going

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """How far it is."""
        async with self._database.reading() as connection:
            return await _going(connection, repayment)

    def sign(self, body: bytes, now_s: float) -> str:
        """The signature header's value for a message."""
        return sign(self._secret, body, now_s)

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """The payment a signed, fresh message speaks of; None when the signature does not hold."""
        if not is_signed(self._secret, headers.get(SIGNATURE, ""), body, now_s):
            return None
        try:
            return msgspec.json.decode(body, type=Notice).payment
        except msgspec.MsgspecError:
            return None

    async def run(self, app: ASGIApp) -> None:
        """Post messages to our own application until cancelled."""
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:

            async def post_due() -> bool:
                return await self.post_due(client)

            await run_rounds("sandbox", post_due, wake=self._database.written, idle_s=POST_EVERY_S)

    async def post_due(self, client: httpx.AsyncClient) -> bool:
        """Post the messages it is time for; whether there may be more."""
        notices = await self._due()
        for notice in notices:
            body = msgspec.json.encode(notice)
            headers = {SIGNATURE: self.sign(body, time.time()), "content-type": "application/json"}
            answer = await client.post(WEBHOOK, content=body, headers=headers)
            if answer.is_success:
                await self._forget(notice)
        return len(notices) == NOTICE_LIMIT

    async def _due(self) -> Sequence[Notice]:
        """Messages to post now; each is due again later, in case this time fails."""
        due = (
            select(sandbox_notices)
            .where(sandbox_notices.c.post_at <= func.clock_timestamp())
            .order_by(sandbox_notices.c.id)
            .limit(NOTICE_LIMIT)
        )
        async with self._database.reading() as connection:
            if (await connection.execute(due)).first() is None:
                return []
        async with self._database.writing() as connection:
            rows = (await connection.execute(due.with_for_update(skip_locked=True))).all()
            ids = [row.id for row in rows]
            again = update(sandbox_notices).where(among(sandbox_notices.c.id, ids))
            await connection.execute(
                again.values(
                    tries=sandbox_notices.c.tries + 1, post_at=func.clock_timestamp() + _LATER
                )
            )
            tired = delete(sandbox_notices).where(sandbox_notices.c.tries > TRIES_LIMIT)
            await connection.execute(tired)
        return [Notice(id=row.id, payment=row.payment, standing=row.standing) for row in rows]

    async def _forget(self, notice: Notice) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                delete(sandbox_notices).where(sandbox_notices.c.id == notice.id)
            )


async def _become(
    connection: AsyncConnection, payment: str, standing: Standing, **columns: Any
) -> None:
    change = update(sandbox_payments).where(sandbox_payments.c.id == payment)
    await connection.execute(change.values(standing=standing, **columns))


async def _notify(
    connection: AsyncConnection, payment: str, standing: Standing, trick: Trick
) -> None:
    """Have the payment's new standing told, as its trick wants it."""
    overtaken = trick == Trick.REORDER and standing == Standing.AUTHORIZED
    late = overtaken or trick == Trick.DELAY
    notice = {
        "payment": payment,
        "standing": standing,
        "post_at": func.clock_timestamp() + _DELAY if late else func.clock_timestamp(),
    }
    count = {Trick.SILENT: 0, Trick.REPEAT: REPETITIONS}.get(trick, 1)
    for _ in range(count):
        await connection.execute(insert(sandbox_notices).values(**notice))


async def _going(connection: AsyncConnection, repayment: Repayment) -> Going:
    mine = select(sandbox_refunds.c.going).where(sandbox_refunds.c.id == repayment.id)
    found = (await connection.execute(mine)).scalar_one_or_none()
    return Going.ABSENT if found is None else Going(found)


def _is_agreed(row: Row[Any], payment: Payment) -> bool:
    return (row.amount_minor, row.currency) == (payment.amount_minor, payment.currency)


async def _row(connection: AsyncConnection, payment: str, *, lock: bool = False) -> Row[Any] | None:
    # A decision that takes effect later has not been made yet.
    early = sandbox_payments.c.since > func.clock_timestamp()
    standing = case((early, str(Standing.PENDING)), else_=sandbox_payments.c.standing)
    query = select(sandbox_payments, standing.label("standing_now"))
    query = query.where(sandbox_payments.c.id == payment)
    return (await connection.execute(query.with_for_update() if lock else query)).first()


def _charge(row: Row[Any]) -> Charge:
    return Charge(
        payment=row.id,
        order=row.order_id,
        title=row.title,
        amount_minor=row.amount_minor,
        currency=row.currency,
        return_path=row.return_path,
    )
