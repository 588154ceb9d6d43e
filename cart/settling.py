"""Settling: bring a payment attempt and the provider's word together until nothing follows.

The buyer's return, the webhook and the loop all call `settle`; what it does next follows from two
facts (core/payment.py), each act is written down before the next, and all may be repeated. A
provider that does not answer leaves the units claimed and is asked again later.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from cart.asking import ANSWER_WITHIN_S, ProvidersRounds, answer
from cart.core.order import OrderState
from cart.core.payment import ENDED, SETTLED, Standing, Step, next_step
from cart.ports.payments import Payment, PaymentBook, PaymentProvider, ProviderSilent

STEPS_LIMIT: Final = 8
"""Most steps in one settling; the longest way (claim, charge, sell) has three."""

OVER: Final = (OrderState.CANCELLED, OrderState.EXPIRED)

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
        self.rounds = ProvidersRounds("settle", providers, payments.due, self.settle)

    async def settle(self, payment: str) -> Payment | None:
        """Take every step that can be taken now; the attempt as it is then."""
        attempt = await self._payments.payment(payment)
        return None if attempt is None else await self._settle(attempt)

    async def hurry(self, payment: str) -> None:
        """Settle it for whoever wishes so: now, or in a round once it has turns again."""
        attempt = await self._payments.payment(payment)
        if attempt is None or attempt.state in SETTLED or attempt.provider not in self._providers:
            return
        if self.rounds.take_turn(attempt.provider, payment):
            await self._settle(attempt)

    async def _settle(self, attempt: Payment) -> Payment:
        provider = self._providers.get(attempt.provider)
        for _ in range(STEPS_LIMIT):
            if provider is None or attempt.state in SETTLED:
                break
            try:
                standing = await answer(provider.look_up(attempt), self._answer_within_s)
                after = await self._follow(attempt, standing, provider)
            except ProviderSilent:
                log.warning("payment provider silent", payment=attempt.id)
                return await self._payments.fall_silent(attempt.id)
            if after is None:
                break
            attempt = after
        return attempt

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
            ended = await answer(provider.cancel(attempt), self._answer_within_s) in ENDED
            return await self._payments.finish_void(attempt.id) if ended else None
        assert step == Step.WAIT
        return None

    async def _charge(self, attempt: Payment, provider: PaymentProvider) -> Payment | None:
        verdict = await answer(provider.confirm(attempt), self._answer_within_s)
        log.info("payment charged", payment=attempt.id, verdict=str(verdict))
        if verdict == Standing.CONFIRMED:
            return await self._payments.sell(attempt.id)
        if verdict == Standing.MISMATCHED:
            return await self._payments.void(attempt.id)
        return await self._payments.refuse(attempt.id) if verdict in ENDED else None
