"""Settling: bring a payment attempt and the provider's word together until nothing follows.

The buyer's return, the webhook and the loop all call `settle`; what it does next follows from two
facts (core/payment.py), each act is written down before the next, and all may be repeated. A
provider that does not answer leaves the units claimed and is asked again later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

import structlog

from cart.core.order import OrderState
from cart.core.payment import ENDED, SETTLED, Attempt, Standing, Step, next_step
from cart.ports.payments import Payment, PaymentBook, PaymentProvider, ProviderSilent
from cart.rounds import run_rounds

STEPS_LIMIT: Final = 8
"""Most steps in one settling; the longest way (claim, charge, sell) has three."""

ANSWER_WITHIN_S: Final = 10.0
"""A provider that takes longer is silent."""

DUE_LIMIT: Final = 16
"""Most attempts asked about at once; the rest go into the next round."""

SETTLE_EVERY_S: Final = 1.0
OVER: Final = (OrderState.CANCELLED, OrderState.EXPIRED)

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Settling:
    """Asks providers and keeps the books in step."""

    def __init__(
        self,
        payments: PaymentBook,
        providers: Mapping[str, PaymentProvider],
        *,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._payments = payments
        self._providers = providers
        self._answer_within_s = answer_within_s
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to settle now."""
        self._wake.set()

    async def settle(self, payment: str) -> Payment | None:
        """Take every step that can be taken now; the attempt as it is then."""
        attempt = await self._payments.payment(payment)
        if attempt is None or attempt.provider not in self._providers:
            return attempt
        provider = self._providers[attempt.provider]
        for _ in range(STEPS_LIMIT):
            if attempt.state in SETTLED:
                break
            try:
                standing = await self._answer(provider.look_up(attempt))
                after = await self._follow(attempt, standing, provider)
            except ProviderSilent:
                return await self._silence(attempt.id)
            if after is None:
                break
            attempt = after
        return attempt

    async def settle_due(self) -> bool:
        """One round of the loop; whether there may be more."""
        due = await self._payments.due(DUE_LIMIT)
        ends = await asyncio.gather(*map(self.settle, due), return_exceptions=True)
        for payment, end in zip(due, ends, strict=True):
            if isinstance(end, Exception):
                log.warning("settling failed", payment=payment, error=repr(end))
        return len(due) == DUE_LIMIT

    async def run(self) -> None:
        """Settle until cancelled."""
        await run_rounds("settle", self.settle_due, wake=self._wake, idle_s=SETTLE_EVERY_S)

    async def _follow(
        self, attempt: Payment, standing: Standing, provider: PaymentProvider
    ) -> Payment | None:
        """Take the one step that follows; None when there is nothing to do."""
        step = next_step(
            attempt.state,
            standing,
            order_over=attempt.order_state in OVER,
            overdue=attempt.overdue,
        )
        written: Mapping[Step, Callable[[str], Awaitable[Payment]]] = {
            Step.CLAIM: self._payments.claim,
            Step.SELL: self._payments.sell,
            Step.LET_GO: self._payments.decline,
            Step.DECLINE: self._payments.decline,
            Step.VOID: self._payments.void,
            Step.FINISH_VOID: self._payments.finish_void,
        }
        if step in written:
            log.info("payment step", payment=attempt.id, step=str(step))
            return await written[step](attempt.id)
        if step == Step.CHARGE:
            return await self._charge(attempt, provider)
        if step == Step.CANCEL:
            ended = await self._answer(provider.cancel(attempt)) in ENDED
            return await self._payments.finish_void(attempt.id) if ended else None
        assert step == Step.WAIT
        return None

    async def _charge(self, attempt: Payment, provider: PaymentProvider) -> Payment | None:
        verdict = await self._answer(provider.confirm(attempt))
        log.info("payment charged", payment=attempt.id, verdict=str(verdict))
        if verdict == Standing.CONFIRMED:
            return await self._payments.sell(attempt.id)
        if verdict == Standing.MISMATCHED:
            return await self._payments.void(attempt.id)
        return await self._payments.decline(attempt.id) if verdict in ENDED else None

    async def _answer(self, asked: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._answer_within_s):
                return await asked
        except TimeoutError:
            raise ProviderSilent from None

    async def _silence(self, payment: str) -> Payment | None:
        attempt = await self._payments.payment(payment)
        if attempt is not None and attempt.state == Attempt.CLAIMED:
            log.warning("payment provider silent", payment=payment)
            return await self._payments.fall_silent(payment)
        return attempt
