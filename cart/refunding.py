"""Refunds: who may have what back, and bringing each to its end at the provider.

The seller gives back lines, an amount, or the whole; the buyer cancels the whole while nothing has
been sent. A refund is written down first; the loop, a provider's message and whoever asked settle
it, in any order and any number of times.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog

from cart.asking import ANSWER_WITHIN_S, ProvidersRounds, answer
from cart.core import catalog
from cart.core.order import Order
from cart.core.refund import (
    REASON_LIMIT_CHARS,
    REFUNDS_LIMIT,
    Going,
    NoSuchUnits,
    NothingLeft,
    RefundEvent,
    RefundState,
    RefundStep,
    RefundWish,
    next_step,
)
from cart.errors import Conflict, Forbidden, IdempotencyMismatch, Invalid, TooMany
from cart.ports.answers import Full, KeyUsed
from cart.ports.payments import (
    NotPaid,
    PaymentProvider,
    ProviderSilent,
    RefundBook,
    RefundRequest,
    Repayment,
    TooMuch,
)
from cart.shopping import new_id

STEPS_LIMIT: Final = 6
"""Most steps in one settling; the longest way (send, ask, finish) has three."""

EVENTS: Final[Mapping[RefundStep, RefundEvent]] = {
    RefundStep.SEND: RefundEvent.SEND,
    RefundStep.FINISH: RefundEvent.FINISH,
    RefundStep.FAIL: RefundEvent.FAIL,
}

log = structlog.get_logger(__name__)


class Refunding:
    """The use cases around refunds."""

    def __init__(
        self,
        refunds: RefundBook,
        providers: Mapping[str, PaymentProvider],
        *,
        answer_within_s: float = ANSWER_WITHIN_S,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._refunds = refunds
        self._providers = providers
        self._answer_within_s = answer_within_s
        self._make_id = make_id
        self.rounds = ProvidersRounds("refund", providers, refunds.due, self.settle)

    async def request(
        self,
        person: str,
        key: str,
        order: Order,
        *,
        wish: RefundWish,
        restock: bool = True,
        reason: str = "",
    ) -> Order:
        """Give something of an order back; `person` is its buyer or its seller.

        The same key gives the same refund. Raises `Invalid`, `Forbidden`, `Conflict`,
        `TooMany`, `IdempotencyMismatch`.
        """
        if not catalog.is_key(key):
            raise Invalid("1 to 64 visible ASCII characters", field="idempotency_key")
        told = catalog.tidy_text(reason, REASON_LIMIT_CHARS)
        if told is None:
            raise Invalid(f"at most {REASON_LIMIT_CHARS} characters", field="reason")
        if person == order.buyer and not (wish.whole and restock):
            raise Forbidden("a buyer can cancel the whole")
        said = msgspec.json.encode((person, wish, restock, told))
        request = RefundRequest(
            id=self._make_id(),
            order=order.id,
            by=person,
            key=key,
            digest=hashlib.sha256(said).hexdigest(),
            wish=wish,
            restock=restock,
            reason=told,
        )
        match await self._refunds.request(request):
            case KeyUsed():
                raise IdempotencyMismatch
            case Full():
                raise TooMany("refunds of one order", limit=REFUNDS_LIMIT)
            case NotPaid(state):
                raise Conflict("nothing was paid", state=str(state))
            case TooMuch(left_minor):
                raise Conflict("more than is left of what was paid", left_minor=left_minor)
            case NoSuchUnits(line, left):
                raise Conflict("not that many units of the line are left", line=line, left=left)
            case NothingLeft():
                raise Conflict("everything went back already", left_minor=0)
            case after:
                self.rounds.wake()
                return after

    async def settle(self, refund: str) -> Repayment | None:
        """Take every step that can be taken now; the refund as it is then."""
        repayment = await self._refunds.refund(refund)
        if repayment is None or repayment.payment.provider not in self._providers:
            return repayment
        provider = self._providers[repayment.payment.provider]
        for _ in range(STEPS_LIMIT):
            try:
                after = await self._follow(repayment, provider)
            except ProviderSilent:
                log.warning("payment provider silent", refund=refund)
                return await self._refunds.step(refund, RefundEvent.FALL_SILENT)
            if after is None:
                break
            repayment = after
        return repayment

    async def hurry(self, payment: str) -> None:
        """Settle the refunds of a payment for whoever wishes so: now, or in a round, as turns are
        left for each.
        """
        for refund in await self._refunds.refunds_of(payment):
            provider = refund.payment.provider
            if provider in self._providers and self.rounds.take_turn(provider, refund.id):
                await self.settle(refund.id)

    async def _follow(self, repayment: Repayment, provider: PaymentProvider) -> Repayment | None:
        """Take the one step that follows; None when there is nothing to do."""
        going = Going.ABSENT
        if repayment.state != RefundState.REQUESTED:
            going = await answer(provider.look_up_refund(repayment), self._answer_within_s)
        step = next_step(repayment.state, going)
        if step == RefundStep.ASK:
            going = await answer(provider.refund(repayment), self._answer_within_s)
            step = next_step(repayment.state, going)
        if step not in EVENTS:
            return None
        log.info("refund step", refund=repayment.id, step=str(step))
        return await self._refunds.step(repayment.id, EVENTS[step])
