"""Toss Payments, by its HTTP interface (https://docs.tosspayments.com/reference), version 1.

A payment is made by our server (`POST /v1/payments`); the buyer is sent to the page of its answer's
`checkout.url` and comes back; then our server confirms, which moves the money. So the page needs
no script of theirs, and no amount of the buyer's browser is believed: before each confirm Toss is
asked what was authorized, and it confirms only the amount we name. Toss calls our attempt's id
`orderId` and gives the payment a `paymentKey` of its own, our reference.

Its `PAYMENT_STATUS_CHANGED` messages carry no signature: they are taken as a reason to ask, and
nothing in them is believed but which payment they speak of.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from cart.adapters.payment_http import Answer, ProviderHttp, text_of
from cart.core.catalog import is_id
from cart.core.payment import ENDED, Standing
from cart.core.refund import Going
from cart.ports.payments import Begun, Charge, Payment, ProviderSilent, Repayment

TITLE_LIMIT_CHARS: Final = 100
"""A longer `orderName` is cut."""

STANDINGS: Final[Mapping[str, Standing]] = {
    "READY": Standing.PENDING,
    "WAITING_FOR_DEPOSIT": Standing.PENDING,
    "IN_PROGRESS": Standing.AUTHORIZED,
    "DONE": Standing.CONFIRMED,
    "PARTIAL_CANCELED": Standing.CONFIRMED,
    "CANCELED": Standing.CANCELLED,
    "ABORTED": Standing.DECLINED,
    "EXPIRED": Standing.DECLINED,
}

CANCELS: Final[Mapping[str, Going]] = {
    "DONE": Going.DONE,
    "ABORTED": Going.FAILED,
}
"""How a cancellation stands; others are under way."""

REFUND: Final = "환불 "
"""What the reason of a refund begins with; the refund's id follows."""

UNCERTAIN: Final = frozenset(
    {"PROVIDER_ERROR", "UNKNOWN_PAYMENT_ERROR", "CARD_PROCESSING_ERROR", "FAILED_DB_PROCESSING"}
)
"""Codes of refusals that ask to try again: what became of the payment is not said."""


class _Data(msgspec.Struct):
    """What a message tells of its payment; the rest is not looked at."""

    orderId: str  # noqa: N815 - Toss's name


class _Message(msgspec.Struct):
    """A message's body."""

    eventType: str  # noqa: N815 - Toss's name
    data: _Data


class Toss:
    """The provider. `public_url`: where buyers come back to."""

    name: Final = "toss"

    def __init__(
        self, client: httpx.AsyncClient, *, base_url: str, secret_key: str, public_url: str
    ) -> None:
        token = base64.b64encode(f"{secret_key}:".encode()).decode()
        self._http = ProviderHttp(client, base_url, {"authorization": f"Basic {token}"})
        self._public_url = public_url

    async def begin(self, charge: Charge) -> Begun:
        """Make the payment."""
        back = f"{self._public_url}{charge.return_path}"
        said = await self._http.post(
            "/v1/payments",
            f"{charge.payment}-begin",
            json={
                "method": "CARD",
                "amount": charge.amount_minor,
                "currency": charge.currency,
                "orderId": charge.payment,
                "orderName": charge.title[:TITLE_LIMIT_CHARS],
                "successUrl": back,
                "failUrl": back,
            },
        )
        begun = Begun(text_of(said.body, "checkout", "url"), text_of(said.body, "paymentKey"))
        if not (said.good and begun.redirect and begun.reference):
            raise ProviderSilent
        return begun

    async def look_up(self, payment: Payment) -> Standing:
        """What Toss knows; a payment it has never heard of is PENDING."""
        if not payment.reference:
            return Standing.PENDING
        said = await self._http.get(_path(payment))
        return _standing(said, payment)

    async def confirm(self, payment: Payment) -> Standing:
        """Take the authorized money."""
        standing = await self.look_up(payment)
        if standing not in (Standing.AUTHORIZED, Standing.PENDING):
            return standing
        said = await self._http.post(
            "/v1/payments/confirm",
            f"{payment.id}-confirm",
            json={
                "paymentKey": payment.reference,
                "orderId": payment.id,
                "amount": payment.amount_minor,
            },
        )
        if said.good:
            return _standing(said, payment)
        if text_of(said.body, "code") in UNCERTAIN:
            raise ProviderSilent
        # Refused, or done already by a request whose answer was lost: the payment tells which.
        standing = await self.look_up(payment)
        return (
            Standing.DECLINED if standing in (Standing.AUTHORIZED, Standing.PENDING) else standing
        )

    async def cancel(self, payment: Payment) -> Standing:
        """Give back what was taken. An authorization that nobody confirms lapses by itself."""
        standing = await self.look_up(payment)
        if not payment.reference:
            return Standing.CANCELLED
        if standing not in (Standing.CONFIRMED, Standing.MISMATCHED):
            return standing
        said = await self._http.post(
            f"{_path(payment)}/cancel", f"{payment.id}-void", json={"cancelReason": "주문 취소"}
        )
        if said.good and STANDINGS.get(text_of(said.body, "status")) in ENDED:
            return Standing.CANCELLED
        return await self.look_up(payment)

    async def refund(self, repayment: Repayment) -> Going:
        """Give back a part, or the rest, of what was taken."""
        said = await self._http.post(
            f"{_path(repayment.payment)}/cancel",
            repayment.id,
            json={
                "cancelReason": f"{REFUND}{repayment.id}",
                "cancelAmount": repayment.amount_minor,
            },
        )
        if said.good:
            return _going(said.body, repayment)
        if text_of(said.body, "code") in UNCERTAIN:
            raise ProviderSilent
        # Refused, or done already by a request whose answer was lost: the payment tells which.
        going = await self.look_up_refund(repayment)
        return Going.FAILED if going == Going.ABSENT else going

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """A refund is known by its reason, which names it."""
        said = await self._http.get(_path(repayment.payment))
        if not said.good:
            raise ProviderSilent
        return _going(said.body, repayment)

    def read_webhook(
        self,
        headers: Mapping[str, str],
        body: bytes,
        now_s: float,
    ) -> str | None:
        """The payment a message speaks of; nothing of it is signed or dated."""
        try:
            message = msgspec.json.decode(body, type=_Message)
        except msgspec.MsgspecError:
            return None
        ours = message.eventType == "PAYMENT_STATUS_CHANGED" and is_id(message.data.orderId)
        return message.data.orderId if ours else ""


def _path(payment: Payment) -> str:
    return f"/v1/payments/{quote(payment.reference, safe='')}"


def _standing(said: Answer, payment: Payment) -> Standing:
    if not said.good:
        if text_of(said.body, "code") == "NOT_FOUND_PAYMENT":
            return Standing.PENDING
        raise ProviderSilent
    standing = STANDINGS.get(text_of(said.body, "status"))
    if standing is None:
        raise ProviderSilent
    return standing if standing in ENDED or _is_ours(said.body, payment) else Standing.MISMATCHED


def _going(said: Mapping[str, Any], repayment: Repayment) -> Going:
    cancels = said.get("cancels")
    for cancel in cancels if isinstance(cancels, list) else ():
        if isinstance(cancel, Mapping) and text_of(cancel, "cancelReason").endswith(repayment.id):
            return CANCELS.get(text_of(cancel, "cancelStatus"), Going.PENDING)
    return Going.ABSENT


def _is_ours(said: Mapping[str, Any], payment: Payment) -> bool:
    named = (said.get("orderId"), said.get("totalAmount"), said.get("currency"))
    return named == (payment.id, payment.amount_minor, payment.currency)
