"""Payments and refunds: their books, and who takes the money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cart.core.order import Order, OrderState
from cart.core.payment import Attempt, Standing
from cart.core.refund import Going, NoSuchUnits, NothingLeft, RefundEvent, RefundState, RefundWish
from cart.ports.answers import Full, KeyUsed


@dataclass(frozen=True, slots=True)
class Payment:
    """An attempt to pay an order, as it is now.

    `reference`: what the provider calls it; empty until it has told us, and then the buyer has not
    seen its page either.
    """

    id: str
    order: str
    provider: str
    reference: str
    amount_minor: int
    currency: str
    state: Attempt
    order_state: OrderState
    overdue: bool


class PaymentBook(Protocol):
    """Payment attempts, and the orders and units that follow them."""

    async def open(self, order: str, payment: str, provider: str) -> Payment | Full | None:
        """The order's open attempt, made if there is none; None when it cannot be paid now.

        An attempt at another provider that has not been claimed yet is called off for it.
        """

    async def refer(self, payment: str, reference: str) -> bool:
        """Keep what the provider calls the attempt; False when nobody may pay it any more.

        What was called off without a name stays open at the provider: nobody may be sent there.
        """

    async def payment(self, payment: str) -> Payment | None:
        """The attempt of that id."""

    async def latest(self, order: str) -> Payment | None:
        """The newest attempt of an order."""

    async def claim(self, payment: str) -> Payment:
        """Suspend expiry and make the units wait for the money, if they are still there.

        If they are not, the attempt is VOIDING afterwards.
        """

    async def fall_silent(self, payment: str) -> Payment:
        """The provider's answer never came: keep everything, ask later."""

    async def sell(self, payment: str) -> Payment:
        """The money is there: the claimed units are sold."""

    async def decline(self, payment: str) -> Payment:
        """There will be no money: a claim is let go, the order can be paid another way."""

    async def refuse(self, payment: str) -> Payment:
        """The charge was refused: a claim is let go, what is still authorized must be given up."""

    async def void(self, payment: str) -> Payment:
        """The money, should it come or have come, must go back."""

    async def finish_void(self, payment: str) -> Payment:
        """The provider has called the payment off."""

    async def due(self, provider: str, limit: int) -> Sequence[str]:
        """Unsettled attempts it is time to ask a provider about; each is given later next time."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund somebody asks for; `digest` tells equal requests from different ones."""

    id: str
    order: str
    by: str
    key: str
    digest: str
    wish: RefundWish
    restock: bool
    reason: str


@dataclass(frozen=True, slots=True)
class NotPaid:
    """There is no money to give back: the order was never paid."""

    state: OrderState


@dataclass(frozen=True, slots=True)
class TooMuch:
    """More than is left of what was paid."""

    left_minor: int


@dataclass(frozen=True, slots=True)
class Repayment:
    """A refund on its way, and the payment it gives back of."""

    id: str
    payment: Payment
    amount_minor: int
    state: RefundState


Requested = Order | KeyUsed | Full | NotPaid | TooMuch | NoSuchUnits | NothingLeft


class RefundBook(Protocol):
    """Refunds, and the units that come back with them."""

    async def request(self, request: RefundRequest) -> Requested:
        """Write a refund down, and put its units back on sale if that is wanted; the order.

        An order all of whose units came back is CANCELLED.
        """

    async def refund(self, refund: str) -> Repayment | None:
        """The refund of that id, if money is to move for it."""

    async def refunds_of(self, payment: str) -> Sequence[Repayment]:
        """The unsettled refunds of a payment."""

    async def step(self, refund: str, event: RefundEvent) -> Repayment:
        """Let an event happen to a refund, if it can; both sides are told of its end."""

    async def due(self, provider: str, limit: int) -> Sequence[str]:
        """Unsettled refunds it is time to ask a provider about; each is given later next time."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a provider shows and takes; `return_path` is where the buyer comes back to."""

    payment: str
    order: str
    title: str
    amount_minor: int
    currency: str
    return_path: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the buyer, and what the provider calls the payment."""

    redirect: str
    reference: str


class ProviderSilent(Exception):
    """The provider did not answer, or nothing that tells: what it did is not known."""


class PaymentProvider(Protocol):
    """Somebody who takes money. Every act on the same payment may be repeated harmlessly.

    Each method but `read_webhook` raises `ProviderSilent` when no answer came. What a provider says
    of a payment counts only if it names our amount, our currency and our payment.
    """

    async def begin(self, charge: Charge) -> Begun:
        """Prepare a payment."""

    async def look_up(self, payment: Payment) -> Standing:
        """What the provider knows of the payment."""

    async def confirm(self, payment: Payment) -> Standing:
        """Take the authorized money.

        DECLINED: it was not taken, and will not be, though it may be authorized still.
        """

    async def cancel(self, payment: Payment) -> Standing:
        """Call the payment off, giving back money that was taken; how it stands afterwards."""

    async def refund(self, repayment: Repayment) -> Going:
        """Give back so much of the payment, once for the refund's id."""

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """How far the provider is with a refund."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """The payment a genuine, fresh message speaks of, empty when it is of none of ours.

        None when the message is not the provider's. A message is only a reason to ask.
        """
