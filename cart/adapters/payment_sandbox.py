"""A payment provider that takes no money: the whole conversation, switchable, on one machine.

It behaves as real ones do: the buyer decides on its page, our server takes the money, a signed
message follows. Its memory is a table of its own, so that it forgets nothing when killed. With the
third switch it takes the money and says nothing, neither as an answer nor as a message: only who
asks finds out.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import Row, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from starlette.types import ASGIApp

from cart.adapters.database import Database
from cart.adapters.tables import sandbox_notices, sandbox_payments
from cart.core.payment import Standing
from cart.ports import Charge, ProviderSilent
from cart.rounds import run_rounds

SIGNATURE: Final = "kkot-sandbox-signature"
"""The header `t=<unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`."""

FRESH_S: Final = 300
"""A message older, or newer, than this is refused."""

NOTICE_LIMIT: Final = 32
TRIES_LIMIT: Final = 10
"""A message is posted this often, each time later; then it is given up."""

POST_EVERY_S: Final = 1.0
WEBHOOK: Final = "/payments/sandbox/webhook"

_LATER: Final = text("interval '1 second' * power(2, tries)")


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

    async def begin(self, charge: Charge) -> str:
        """Prepare a payment; its page."""
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
        return f"/sandbox/payments/{charge.payment}"

    async def charge(self, payment: str) -> tuple[Charge, Standing] | None:
        """What the page shows of a payment."""
        async with self._database.reading() as connection:
            row = await _row(connection, payment)
        return None if row is None else (_charge(row), Standing(row.standing))

    async def decide(self, payment: str, decision: Standing, *, silent: bool = False) -> None:
        """The buyer decided: AUTHORIZED or DECLINED. Only the first decision counts."""
        async with self._database.writing() as connection:
            row = await _row(connection, payment, lock=True)
            if row is not None and row.standing == Standing.PENDING:
                await self._become(connection, payment, decision, silent=silent)

    async def confirm(self, payment: str, amount_minor: int, currency: str) -> Standing:
        """Take the authorized money, if it is the amount that was agreed."""
        async with self._database.writing() as connection:
            row = await _row(connection, payment, lock=True)
            if row is None:
                return Standing.DECLINED
            standing = Standing(row.standing)
            if standing in (Standing.PENDING, Standing.AUTHORIZED):
                agreed = (row.amount_minor, row.currency) == (amount_minor, currency)
                good = agreed and standing == Standing.AUTHORIZED
                standing = Standing.CONFIRMED if good else Standing.DECLINED
                await self._become(connection, payment, standing, silent=row.silent)
        if row.silent:
            raise ProviderSilent
        return standing if standing == Standing.CONFIRMED else Standing.DECLINED

    async def look_up(self, payment: str) -> Standing:
        """What the sandbox knows; a payment that never got here is PENDING."""
        async with self._database.reading() as connection:
            row = await _row(connection, payment)
        return Standing.PENDING if row is None else Standing(row.standing)

    async def cancel(self, payment: str) -> None:
        """Call it off, even before it began."""
        stub = upsert(sandbox_payments).values(
            id=payment,
            order_id="",
            title="",
            amount_minor=0,
            currency="",
            return_path="/",
            standing=Standing.CANCELLED,
        )
        off = {"standing": Standing.CANCELLED}
        async with self._database.writing() as connection:
            await connection.execute(stub.on_conflict_do_update(index_elements=["id"], set_=off))

    def sign(self, body: bytes, now_s: float) -> str:
        """The signature header's value for a message."""
        at = int(now_s)
        return f"t={at},v1={self._mac(at, body)}"

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """The payment a signed, fresh message speaks of; None when the signature does not hold."""
        parts = dict(part.partition("=")[::2] for part in headers.get(SIGNATURE, "").split(","))
        stamp = parts.get("t", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return None
        if abs(now_s - int(stamp)) > FRESH_S:
            return None
        said = parts.get("v1", "").encode()
        if not hmac.compare_digest(said, self._mac(int(stamp), body).encode()):
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
            again = update(sandbox_notices).where(sandbox_notices.c.id.in_(ids))
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
        self, connection: AsyncConnection, payment: str, standing: Standing, *, silent: bool
    ) -> None:
        change = update(sandbox_payments).where(sandbox_payments.c.id == payment)
        await connection.execute(change.values(standing=standing, silent=silent))
        if not silent:
            await connection.execute(
                insert(sandbox_notices).values(payment=payment, standing=standing)
            )

    def _mac(self, at: int, body: bytes) -> str:
        return hmac.new(self._secret, b"%d." % at + body, hashlib.sha256).hexdigest()


async def _row(connection: AsyncConnection, payment: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(sandbox_payments).where(sandbox_payments.c.id == payment)
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
