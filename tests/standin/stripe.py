"""Stripe's interface, after https://docs.stripe.com/api: sessions, intents, refunds, events."""

import secrets
import time
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from cart.adapters.signatures import sign
from tests.standin.faults import Fault
from tests.standin.memory import Json
from tests.standin.provider import Provider

SECRET_KEY = "sk_test_of_the_stand_in"
WEBHOOK_SECRET = "whsec_of_the_stand_in"
WEBHOOK = "/payments/stripe/webhook"


class StripeStandIn(Provider):
    """Sessions, intents and refunds by their ids."""

    name = "stripe"
    authorization = f"Bearer {SECRET_KEY}"

    def stranger(self) -> tuple[int, Json]:
        """What somebody without the key is told."""
        return refusal(401, "api_key_invalid")

    def routes(self) -> list[Route]:
        """The interface and the hosted page."""
        return [
            Route("/v1/checkout/sessions", self.create, methods=["POST"]),
            Route("/v1/checkout/sessions/{id}", self.session, methods=["GET"]),
            Route("/v1/checkout/sessions/{id}/expire", self.expire, methods=["POST"]),
            Route("/v1/payment_intents/{id}/capture", self.capture, methods=["POST"]),
            Route("/v1/payment_intents/{id}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/refunds", self.refund, methods=["POST"]),
            Route("/v1/refunds", self.refunds, methods=["GET"]),
            Route("/c/pay/{id}", self.page, methods=["GET"]),
            Route("/c/pay/{id}/{choice}", self.decide, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Create a session."""
        form = await _form(request)
        goods = "line_items[0][price_data]"

        def act() -> tuple[int, Json]:
            id_ = f"cs_test_{secrets.token_hex(8)}"
            session = {
                "id": id_,
                "object": "checkout.session",
                "status": "open",
                "payment_status": "unpaid",
                "payment_intent": None,
                "amount_total": int(form[f"{goods}[unit_amount]"]),
                "currency": form[f"{goods}[currency]"],
                "client_reference_id": form["client_reference_id"],
                "metadata": {"payment": form["metadata[payment]"]},
                "url": f"{self._url}/c/pay/{id_}",
            }
            manual = form["payment_intent_data[capture_method]"] == "manual"
            kept = {
                "back": form["success_url"],
                "left": form["cancel_url"],
                "manual": manual,
                "payment": form["payment_intent_data[metadata][payment]"],
            }
            self._memory.keep("stripe back", id_, kept)
            self._memory.keep("session", id_, session)
            return 200, session

        return await self._serve(request, "begin", act)

    async def session(self, request: Request) -> Response:
        """Retrieve a session, its intent and charge expanded if that is asked for."""
        wanted = request.query_params.get("expand[]", "")

        def act() -> tuple[int, Json]:
            session = self._memory.find("session", request.path_params["id"])
            if session is None:
                return refusal(404, "resource_missing")
            if wanted.startswith("payment_intent") and session["payment_intent"]:
                session["payment_intent"] = self._memory.find("intent", session["payment_intent"])
            return 200, session

        return await self._serve(request, "look_up", act)

    async def expire(self, request: Request) -> Response:
        """Close an open session."""

        def act() -> tuple[int, Json]:
            session = self._memory.find("session", request.path_params["id"])
            if session is None or session["status"] != "open":
                return refusal(400, "resource_missing")
            session["status"] = "expired"
            self._memory.keep("session", session["id"], session)
            self._event("checkout.session.expired", session)
            return 200, session

        return await self._serve(request, "cancel", act)

    async def capture(self, request: Request) -> Response:
        """Take authorized money."""
        form = await _form(request)

        def act() -> tuple[int, Json]:
            intent = self._memory.find("intent", request.path_params["id"])
            if intent is None:
                return refusal(404, "resource_missing")
            if intent["status"] != "requires_capture":
                return refusal(400, "payment_intent_unexpected_state")
            amount = int(form["amount_to_capture"])
            if amount > intent["amount"]:
                return refusal(400, "amount_too_large")
            if self._faults.take("confirm", Fault.DECLINE):
                return refusal(402, "card_declined", kind="card_error")
            intent |= {"status": "succeeded", "amount_received": amount}
            intent["latest_charge"] |= {"amount_captured": amount}
            self._event("payment_intent.succeeded", self._keep(intent))
            return 200, intent

        return await self._serve(request, "confirm", act)

    async def cancel(self, request: Request) -> Response:
        """Release an authorization."""

        def act() -> tuple[int, Json]:
            intent = self._memory.find("intent", request.path_params["id"])
            if intent is None or intent["status"] in ("succeeded", "canceled"):
                return refusal(400, "payment_intent_unexpected_state")
            self._event("payment_intent.canceled", self._keep(intent | {"status": "canceled"}))
            return 200, intent

        return await self._serve(request, "cancel", act)

    async def refund(self, request: Request) -> Response:
        """Give captured money back, whole or in part."""
        form = await _form(request)

        def act() -> tuple[int, Json]:
            intent = self._memory.find("intent", form["payment_intent"])
            if intent is None or intent["status"] != "succeeded":
                return refusal(400, "charge_not_captured")
            charge = intent["latest_charge"]
            left = charge["amount_captured"] - charge["amount_refunded"]
            amount = int(form.get("amount", left))
            if amount > left or left == 0:
                return refusal(400, "charge_already_refunded")
            refused = self._faults.take("cancel", Fault.DECLINE)
            refund = {
                "id": f"re_{secrets.token_hex(8)}",
                "object": "refund",
                "amount": amount,
                "currency": intent["currency"],
                "payment_intent": intent["id"],
                "metadata": {
                    name.removeprefix("metadata[").removesuffix("]"): value
                    for name, value in form.items()
                    if name.startswith("metadata[")
                },
                "status": "failed" if refused else "succeeded",
            }
            self._memory.keep("refund", refund["id"], refund)
            if not refused:
                charge["amount_refunded"] += amount
                charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
                self._keep(intent)
            self._event("refund.updated", refund)
            return 200, refund

        return await self._serve(request, "cancel", act)

    async def refunds(self, request: Request) -> Response:
        """List an intent's refunds."""
        intent = request.query_params.get("payment_intent")

        def act() -> tuple[int, Json]:
            mine = [one for one in self._memory.all("refund") if one["payment_intent"] == intent]
            return 200, {"object": "list", "data": mine[::-1], "has_more": False}

        return await self._serve(request, "look_up", act)

    async def page(self, request: Request) -> Response:
        """The hosted page."""
        session = self._memory.find("session", request.path_params["id"])
        if session is None:
            return Response(status_code=404)
        here = session["id"]
        return HTMLResponse(
            f"<!doctype html><title>Stripe Checkout</title><p>{session['amount_total']}</p>"
            f"<form method=post><button formaction={here}/approve>Pay</button>"
            f"<button formaction={here}/decline>Pay with a card that is declined</button></form>"
        )

    async def decide(self, request: Request) -> Response:
        """The buyer paid on the page, or tried to and went back."""
        with self._memory.together():
            return self._decide(request.path_params["id"], request.path_params["choice"])

    def _decide(self, id_: str, choice: str) -> Response:
        session = self._memory.find("session", id_)
        if session is None or session["status"] != "open":
            return Response(status_code=409)
        kept = self._memory.find("stripe back", session["id"])
        amount = 1 if self._faults.take("page", Fault.WRONG) else session["amount_total"]
        declined = choice == "decline"
        intent = {
            "id": f"pi_{secrets.token_hex(8)}",
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": session["currency"],
            "capture_method": "manual" if kept["manual"] else "automatic",
            "metadata": {"payment": kept["payment"]},
            "status": "requires_payment_method" if declined else "requires_capture",
            "latest_charge": {"amount_captured": 0, "amount_refunded": 0, "refunded": False},
        }
        session["payment_intent"] = self._keep(intent)["id"]
        if not declined:
            session["status"] = "complete"
        self._memory.keep("session", session["id"], session)
        self._memory.keep("intent of", kept["payment"], intent["id"])
        if declined:
            self._event("payment_intent.payment_failed", intent)
        else:
            self._event("payment_intent.amount_capturable_updated", intent)
            self._event("checkout.session.completed", session)
        return RedirectResponse(kept["left" if declined else "back"], status_code=303)

    def payments(self) -> list[str]:
        """The shop's ids of all payments."""
        return [*dict.fromkeys(one["metadata"]["payment"] for one in self._memory.all("intent"))]

    def taken(self, payment: str) -> int:
        """The money that stayed with us."""
        intent = self._memory.find("intent", self._memory.find("intent of", payment) or "")
        if intent is None:
            return 0
        return int(intent["amount_received"] - intent["latest_charge"]["amount_refunded"])

    def _keep(self, intent: Json) -> Json:
        self._memory.keep("intent", intent["id"], intent)
        return intent

    def _event(self, kind: str, about: Json) -> None:
        event = {
            "id": f"evt_{secrets.token_hex(8)}",
            "object": "event",
            "type": kind,
            "data": {"object": about},
        }
        body = msgspec.json.encode(event)
        signature = sign(WEBHOOK_SECRET.encode(), body, time.time())
        self._tell(WEBHOOK, {"stripe-signature": signature}, body)


def refusal(status: int, code: str, *, kind: str = "invalid_request_error") -> tuple[int, Json]:
    """How Stripe says no."""
    return status, {"error": {"type": kind, "code": code, "message": code}}


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
