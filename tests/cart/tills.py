"""The three providers behind one set of acts, so that one scenario tries them all.

A till is a provider and what a test needs to do around it: decide as its buyer, let something go
wrong, read its messages, and count the money that stayed.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import httpx
import msgspec
from sqlalchemy import text

from cart.adapters.payment_sandbox import SIGNATURE, Notice, Sandbox, Trick
from cart.adapters.payment_stripe import Stripe
from cart.adapters.payment_toss import Toss
from cart.core.payment import Standing
from cart.ports.payments import PaymentProvider
from tests.cart.shop import Shop
from tests.standin import stripe, toss
from tests.standin.faults import Fault
from tests.standin.process import StandIn

Message = tuple[Mapping[str, str], bytes]
NOW_S: Final = 1_000.0


class Till(Protocol):
    """A provider and its surroundings."""

    name: str

    @property
    def provider(self) -> PaymentProvider:
        """The provider."""

    async def approve(self, payment: str, redirect: str) -> None:
        """Pay, as the buyer."""

    async def approve_another_amount(self, payment: str, redirect: str) -> None:
        """The provider authorizes less than was asked for."""

    async def decline(self, payment: str, redirect: str) -> None:
        """Do not pay, as the buyer."""

    async def lose_answer(self, payment: str, redirect: str) -> None:
        """Pay; the answer to the charge will get lost after the money was taken."""

    async def lose_request(self, payment: str, redirect: str) -> None:
        """Pay; the charge will time out once, before anything was taken."""

    async def lose_refund(self) -> None:
        """The answer to the next refund gets lost after the money went back."""

    async def refuse_refunds(self) -> None:
        """The next refund is refused."""

    async def messages(self, payment: str) -> list[Message]:
        """What the provider says of a payment, oldest first."""

    async def taken(self, payment: str) -> int:
        """The money of a payment that stayed with the shop."""


@dataclass
class SandboxTill:
    """The sandbox, which is its own stand-in."""

    shop: Shop
    provider: Sandbox
    name: str = "sandbox"

    async def approve(self, payment: str, redirect: str) -> None:
        await self.provider.decide(payment, Standing.AUTHORIZED)

    async def approve_another_amount(self, payment: str, redirect: str) -> None:
        await self.shop.sql("UPDATE sandbox_payments SET amount_minor = 1")
        await self.provider.decide(payment, Standing.AUTHORIZED)

    async def decline(self, payment: str, redirect: str) -> None:
        await self.provider.decide(payment, Standing.DECLINED)

    async def lose_answer(self, payment: str, redirect: str) -> None:
        await self.provider.decide(payment, Standing.AUTHORIZED, Trick.SILENT)

    async def lose_request(self, payment: str, redirect: str) -> None:
        await self.provider.decide(payment, Standing.AUTHORIZED, Trick.TIMEOUT)

    async def lose_refund(self) -> None:
        await self.shop.sql("UPDATE sandbox_payments SET trick = 'silent'")

    async def refuse_refunds(self) -> None:
        await self.shop.sql("UPDATE sandbox_payments SET trick = 'keep'")

    async def messages(self, payment: str) -> list[Message]:
        told: list[Message] = []
        for number, standing in enumerate((Standing.AUTHORIZED, Standing.CONFIRMED)):
            body = msgspec.json.encode(Notice(id=number, payment=payment, standing=standing))
            told.append(({SIGNATURE: self.provider.sign(body, NOW_S)}, body))
        return told

    async def taken(self, payment: str) -> int:
        query = text(
            "SELECT p.amount_minor - coalesce((SELECT sum(r.amount_minor) FROM sandbox_refunds r"
            " WHERE r.payment = p.id AND r.going = 'done'), 0) FROM sandbox_payments p"
            " WHERE p.id = :id AND p.standing = 'confirmed'"
        )
        async with self.shop.engine.connect() as connection:
            left = (await connection.execute(query, {"id": payment})).scalar_one_or_none()
        return int(left or 0)


@dataclass
class RemoteTill:
    """A provider over HTTP, its stand-in behind it."""

    name: str
    provider: PaymentProvider
    standin: StandIn

    async def approve(self, payment: str, redirect: str) -> None:
        answer = await self.standin.decide(redirect, "approve")
        assert answer.headers["location"].startswith("http://shop/orders/")

    async def approve_another_amount(self, payment: str, redirect: str) -> None:
        await self.standin.plan("page", Fault.WRONG)
        await self.approve(payment, redirect)

    async def decline(self, payment: str, redirect: str) -> None:
        await self.standin.decide(redirect, "decline")

    async def lose_answer(self, payment: str, redirect: str) -> None:
        await self.approve(payment, redirect)
        await self.standin.plan("confirm", Fault.HANG_AFTER)

    async def lose_request(self, payment: str, redirect: str) -> None:
        await self.approve(payment, redirect)
        await self.standin.plan("confirm", Fault.HANG_BEFORE)

    async def lose_refund(self) -> None:
        await self.standin.plan("cancel", Fault.HANG_AFTER)

    async def refuse_refunds(self) -> None:
        await self.standin.plan("cancel", Fault.DECLINE)

    async def messages(self, payment: str) -> list[Message]:
        path = f"/payments/{self.name}/webhook"
        return [
            (told["headers"], told["body"].encode())
            for told in await self.standin.messages()
            if told["path"] == path and payment in told["body"]
        ]

    async def taken(self, payment: str) -> int:
        return await self.standin.taken(payment)


@asynccontextmanager
async def standing_in(folder: Path) -> AsyncIterator[StandIn]:
    """A stand-in that runs."""
    standin = StandIn(folder)
    await standin.start()
    try:
        yield standin
    finally:
        await standin.kill()


def toss_till(standin: StandIn, client: httpx.AsyncClient) -> RemoteTill:
    """Toss Payments, as the stand-in plays it."""
    provider = Toss(
        client, base_url=standin.url, secret_key=toss.SECRET_KEY, public_url="http://shop"
    )
    return RemoteTill("toss", provider, standin)


def stripe_till(standin: StandIn, client: httpx.AsyncClient) -> RemoteTill:
    """Stripe, as the stand-in plays it."""
    provider = Stripe(
        client,
        base_url=standin.url,
        secret_key=stripe.SECRET_KEY,
        webhook_secret=stripe.WEBHOOK_SECRET,
        public_url="http://shop",
    )
    return RemoteTill("stripe", provider, standin)
