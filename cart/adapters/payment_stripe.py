"""Stripe, by its HTTP interface (https://docs.stripe.com/api), at the version named below.

A payment is a Checkout Session: Stripe's own page, so card numbers never come near us. Its
PaymentIntent is captured by hand (`capture_method=manual`), so that the units are claimed before
the money moves. The session's id is our reference; our attempt's id is in the metadata of both.
Amounts and currency are compared before each capture. Amounts of won, which have no smaller unit,
are whole won at Stripe too.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from cart.adapters.payment_http import ProviderHttp, text_of
from cart.adapters.signatures import is_signed
from cart.core.catalog import is_id
from cart.core.payment import ENDED, Standing
from cart.core.refund import Going
from cart.ports.payments import Begun, Charge, Payment, ProviderSilent, Repayment

VERSION: Final = "2024-06-20"
"""The version of the interface this was written against."""

SIGNATURE: Final = "stripe-signature"

TITLE_LIMIT_CHARS: Final = 250
"""A longer product name is cut."""

INTENT_STANDINGS: Final[Mapping[str, Standing]] = {
    "requires_payment_method": Standing.PENDING,
    "requires_confirmation": Standing.PENDING,
    "requires_action": Standing.PENDING,
    "processing": Standing.PENDING,
    "requires_capture": Standing.AUTHORIZED,
    "succeeded": Standing.CONFIRMED,
    "canceled": Standing.CANCELLED,
}

REFUNDS: Final[Mapping[str, Going]] = {
    "succeeded": Going.DONE,
    "failed": Going.FAILED,
    "canceled": Going.FAILED,
}
"""How a refund stands; others are under way."""

REFUNDS_LISTED: Final = 100
"""Stripe's longest page of refunds; no order has more of them (`REFUNDS_LIMIT`)."""

_NEITHER: Final[Mapping[str, Any]] = {}


class _Object(msgspec.Struct):
    """What an event is about; sessions, intents and refunds of ours name our payment."""

    metadata: dict[str, str] | None = None


class _Data(msgspec.Struct):
    object: _Object


class _Event(msgspec.Struct):
    """A message's body."""

    type: str
    data: _Data


class Stripe:
    """The provider. `public_url`: where buyers come back to."""

    name: Final = "stripe"

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        secret_key: str,
        webhook_secret: str,
        public_url: str,
    ) -> None:
        headers = {"authorization": f"Bearer {secret_key}", "stripe-version": VERSION}
        self._http = ProviderHttp(client, base_url, headers)
        self._webhook_secret = webhook_secret.encode()
        self._public_url = public_url

    async def begin(self, charge: Charge) -> Begun:
        """Make the session."""
        back = f"{self._public_url}{charge.return_path}"
        goods = "line_items[0][price_data]"
        form = {
            "mode": "payment",
            "client_reference_id": charge.payment,
            "metadata[payment]": charge.payment,
            "payment_intent_data[capture_method]": "manual",
            "payment_intent_data[metadata][payment]": charge.payment,
            "line_items[0][quantity]": "1",
            f"{goods}[currency]": charge.currency.lower(),
            f"{goods}[unit_amount]": str(charge.amount_minor),
            f"{goods}[product_data][name]": charge.title[:TITLE_LIMIT_CHARS],
            "success_url": back,
            "cancel_url": back,
        }
        said = await self._http.post("/v1/checkout/sessions", f"{charge.payment}-begin", form=form)
        begun = Begun(text_of(said.body, "url"), text_of(said.body, "id"))
        if not (said.good and begun.redirect and begun.reference):
            raise ProviderSilent
        return begun

    async def look_up(self, payment: Payment) -> Standing:
        """What Stripe knows; a payment it has never heard of is PENDING."""
        if not payment.reference:
            return Standing.PENDING
        return _standing(await self._session(payment), payment)

    async def confirm(self, payment: Payment) -> Standing:
        """Capture the authorized money."""
        session = await self._session(payment)
        standing = _standing(session, payment)
        if standing != Standing.AUTHORIZED:
            return standing
        said = await self._http.post(
            f"{_intent_path(session)}/capture",
            f"{payment.id}-capture",
            form={"amount_to_capture": str(payment.amount_minor)},
        )
        # Done, or refused, or done already by a request whose answer was lost.
        standing = await self.look_up(payment)
        refused = standing == Standing.AUTHORIZED and not said.good
        return Standing.DECLINED if refused else standing

    async def cancel(self, payment: Payment) -> Standing:
        """Close the session, release the authorization, or give back what was taken."""
        if not payment.reference:
            return Standing.CANCELLED
        session = await self._session(payment)
        if _standing(session, payment) in ENDED:
            return Standing.CANCELLED
        intent = _intent(session)
        if text_of(session, "status") == "open":
            path = f"/v1/checkout/sessions/{quote(payment.reference, safe='')}/expire"
            await self._http.post(path, f"{payment.id}-expire", form={})
        elif text_of(intent, "status") == "succeeded":
            form = {"payment_intent": text_of(intent, "id"), "metadata[payment]": payment.id}
            await self._http.post("/v1/refunds", f"{payment.id}-void", form=form)
        else:
            await self._http.post(f"{_intent_path(session)}/cancel", f"{payment.id}-void", form={})
        return await self.look_up(payment)

    async def refund(self, repayment: Repayment) -> Going:
        """Give back a part, or the rest, of what was captured."""
        session = await self._session(repayment.payment)
        form = {
            "payment_intent": text_of(_intent(session), "id"),
            "amount": str(repayment.amount_minor),
            "metadata[payment]": repayment.payment.id,
            "metadata[refund]": repayment.id,
        }
        said = await self._http.post("/v1/refunds", repayment.id, form=form)
        if said.good:
            return REFUNDS.get(text_of(said.body, "status"), Going.PENDING)
        # Refused, or done already by a request whose answer was lost: the list tells which.
        going = await self.look_up_refund(repayment)
        return Going.FAILED if going == Going.ABSENT else going

    async def look_up_refund(self, repayment: Repayment) -> Going:
        """A refund is known by its metadata, which name it."""
        session = await self._session(repayment.payment)
        query = {"payment_intent": text_of(_intent(session), "id"), "limit": str(REFUNDS_LISTED)}
        said = await self._http.get("/v1/refunds", query)
        listed = said.body.get("data")
        if not (said.good and isinstance(listed, list)):
            raise ProviderSilent
        for one in listed:
            if isinstance(one, Mapping) and text_of(one, "metadata", "refund") == repayment.id:
                return REFUNDS.get(text_of(one, "status"), Going.PENDING)
        return Going.ABSENT

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now_s: float) -> str | None:
        """The payment a signed, fresh message speaks of."""
        if not is_signed(self._webhook_secret, headers.get(SIGNATURE, ""), body, now_s):
            return None
        try:
            event = msgspec.json.decode(body, type=_Event)
        except msgspec.MsgspecError:
            return ""
        payment = (event.data.object.metadata or {}).get("payment", "")
        return payment if is_id(payment) else ""

    async def _session(self, payment: Payment) -> Mapping[str, Any]:
        path = f"/v1/checkout/sessions/{quote(payment.reference, safe='')}"
        said = await self._http.get(path, {"expand[]": "payment_intent.latest_charge"})
        if not said.good:
            raise ProviderSilent
        return said.body


def _intent(session: Mapping[str, Any]) -> Mapping[str, Any]:
    """The session's payment; an open page has none before its buyer acts."""
    intent = session.get("payment_intent")
    return intent if isinstance(intent, Mapping) else _NEITHER


def _intent_path(session: Mapping[str, Any]) -> str:
    return f"/v1/payment_intents/{quote(text_of(_intent(session), 'id'), safe='')}"


def _standing(session: Mapping[str, Any], payment: Payment) -> Standing:
    intent = _intent(session)
    status = text_of(session, "status")
    if status == "expired" and not intent:
        return Standing.DECLINED
    if status == "open" and not intent:
        return Standing.PENDING
    standing = INTENT_STANDINGS.get(text_of(intent, "status"))
    if standing is None:
        raise ProviderSilent
    if standing == Standing.PENDING and status == "expired":
        return Standing.DECLINED
    if standing == Standing.CONFIRMED and _all_went_back(intent):
        return Standing.CANCELLED
    if standing in (Standing.AUTHORIZED, Standing.CONFIRMED) and not _is_ours(intent, payment):
        return Standing.MISMATCHED
    return standing


def _is_ours(intent: Mapping[str, Any], payment: Payment) -> bool:
    named = (text_of(intent, "metadata", "payment"), intent.get("amount"))
    return (*named, text_of(intent, "currency").upper()) == (
        *(payment.id, payment.amount_minor, payment.currency),
    )


def _all_went_back(intent: Mapping[str, Any]) -> bool:
    charge = intent.get("latest_charge")
    return isinstance(charge, Mapping) and charge.get("refunded") is True
