"""Toss Payments' interface, after https://docs.tosspayments.com/reference."""

import base64
import secrets
from functools import partial
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.standin.faults import Fault, object_of
from tests.standin.memory import Json
from tests.standin.provider import Provider

SECRET_KEY = "test_sk_of_the_stand_in"
WEBHOOK = "/payments/toss/webhook"


class TossStandIn(Provider):
    """Payments by their key."""

    name = "toss"
    authorization = f"Basic {base64.b64encode(f'{SECRET_KEY}:'.encode()).decode()}"

    def stranger(self) -> tuple[int, Json]:
        """What somebody without the key is told."""
        return refusal(401, "UNAUTHORIZED_KEY")

    def routes(self) -> list[Route]:
        """The interface and the hosted page."""
        return [
            Route("/v1/payments", self.create, methods=["POST"]),
            Route("/v1/payments/confirm", self.confirm, methods=["POST"]),
            Route("/v1/payments/orders/{order}", self.by_order, methods=["GET"]),
            Route("/v1/payments/{key}", self.by_key, methods=["GET"]),
            Route("/v1/payments/{key}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/payments/{key}/checkout", self.page, methods=["GET"]),
            Route("/v1/payments/{key}/checkout/{choice}", self.decide, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """결제 생성."""
        asked = object_of(await request.body())

        def act() -> tuple[int, Json]:
            key = f"tviva{secrets.token_hex(8)}"
            payment = {
                "paymentKey": key,
                "orderId": asked["orderId"],
                "orderName": asked["orderName"],
                "status": "READY",
                "currency": asked["currency"],
                "totalAmount": asked["amount"],
                "balanceAmount": asked["amount"],
                "cancels": None,
                "checkout": {"url": f"{self._url}/v1/payments/{key}/checkout"},
            }
            back = {"success": asked["successUrl"], "fail": asked["failUrl"]}
            self._memory.keep("toss back", key, back)
            self._keep(payment, told=False)
            return 200, payment

        return await self._serve(request, "begin", act)

    async def by_key(self, request: Request) -> Response:
        """결제 조회."""
        found = partial(self._found, request.path_params["key"])
        return await self._serve(request, "look_up", found)

    async def by_order(self, request: Request) -> Response:
        """결제 조회 by our own id."""
        key = self._memory.find("toss order", request.path_params["order"]) or ""
        return await self._serve(request, "look_up", partial(self._found, key))

    async def confirm(self, request: Request) -> Response:
        """결제 승인."""
        asked = object_of(await request.body())

        def act() -> tuple[int, Json]:
            payment = self._memory.find("toss", asked["paymentKey"])
            if payment is None or payment["orderId"] != asked["orderId"]:
                return refusal(404, "NOT_FOUND_PAYMENT_SESSION")
            if payment["status"] == "DONE":
                return refusal(400, "ALREADY_PROCESSED_PAYMENT")
            if payment["status"] != "IN_PROGRESS":
                return refusal(404, "NOT_FOUND_PAYMENT_SESSION")
            if payment["totalAmount"] != asked["amount"]:
                return refusal(400, "INVALID_REQUEST")
            if self._faults.take("confirm", Fault.DECLINE):
                self._keep(payment | {"status": "ABORTED"})
                return refusal(403, "REJECT_CARD_PAYMENT")
            return 200, self._keep(payment | {"status": "DONE"})

        return await self._serve(request, "confirm", act)

    async def cancel(self, request: Request) -> Response:
        """결제 취소, whole or in part."""
        asked = object_of(await request.body())

        def act() -> tuple[int, Json]:
            payment = self._memory.find("toss", request.path_params["key"])
            if payment is None:
                return refusal(404, "NOT_FOUND_PAYMENT")
            if payment["status"] not in ("DONE", "PARTIAL_CANCELED"):
                return refusal(403, "NOT_CANCELABLE_PAYMENT")
            amount = asked.get("cancelAmount", payment["balanceAmount"])
            if amount > payment["balanceAmount"]:
                return refusal(403, "NOT_CANCELABLE_AMOUNT")
            if self._faults.take("cancel", Fault.DECLINE):
                return refusal(403, "NOT_CANCELABLE_PAYMENT_FOR_DORMANT_USER")
            cancel = {
                "cancelAmount": amount,
                "cancelReason": asked["cancelReason"],
                "cancelStatus": "DONE",
                "transactionKey": secrets.token_hex(8),
            }
            left = payment["balanceAmount"] - amount
            changed = {
                "status": "PARTIAL_CANCELED" if left else "CANCELED",
                "balanceAmount": left,
                "cancels": [*(payment["cancels"] or []), cancel],
            }
            return 200, self._keep(payment | changed)

        return await self._serve(request, "cancel", act)

    async def page(self, request: Request) -> Response:
        """The hosted page."""
        payment = self._memory.find("toss", request.path_params["key"])
        if payment is None:
            return Response(status_code=404)
        return HTMLResponse(
            f"<!doctype html><title>토스페이먼츠</title><p>{payment['totalAmount']}</p>"
            "<form method=post><button formaction=checkout/approve>결제하기</button>"
            "<button formaction=checkout/decline>취소</button></form>"
        )

    async def decide(self, request: Request) -> Response:
        """The buyer decided on the page."""
        with self._memory.together():
            return self._decide(request.path_params["key"], request.path_params["choice"])

    def _decide(self, key: str, choice: str) -> Response:
        payment, back = self._memory.find("toss", key), self._memory.find("toss back", key)
        if payment is None or payment["status"] != "READY":
            return Response(status_code=409)
        if choice == "decline":
            self._keep(payment | {"status": "ABORTED"})
            said = {"code": "PAY_PROCESS_CANCELED", "orderId": payment["orderId"]}
            return RedirectResponse(f"{back['fail']}?{urlencode(said)}", status_code=303)
        if self._faults.take("page", Fault.WRONG):
            payment["totalAmount"] = payment["balanceAmount"] = 1
        self._keep(payment | {"status": "IN_PROGRESS"})
        told = {
            "paymentKey": key,
            "orderId": payment["orderId"],
            "amount": payment["totalAmount"],
        }
        return RedirectResponse(f"{back['success']}?{urlencode(told)}", status_code=303)

    def lapse(self) -> None:
        """What nobody confirmed in time has expired."""
        for payment in self._memory.all("toss"):
            if payment["status"] in ("READY", "IN_PROGRESS"):
                self._keep(payment | {"status": "EXPIRED"})

    def payments(self) -> list[str]:
        """The shop's ids of all payments."""
        return [payment["orderId"] for payment in self._memory.all("toss")]

    def taken(self, order: str) -> int:
        """The money that stayed with us."""
        key = self._memory.find("toss order", order)
        payment = self._memory.find("toss", key) if key else None
        moved = payment is not None and payment["status"] in ("DONE", "PARTIAL_CANCELED")
        return int(payment["balanceAmount"]) if payment and moved else 0

    def _found(self, key: str) -> tuple[int, Json]:
        payment = self._memory.find("toss", key)
        return refusal(404, "NOT_FOUND_PAYMENT") if payment is None else (200, payment)

    def _keep(self, payment: Json, *, told: bool = True) -> Json:
        self._memory.keep("toss", payment["paymentKey"], payment)
        self._memory.keep("toss order", payment["orderId"], payment["paymentKey"])
        if told:
            message = {
                "eventType": "PAYMENT_STATUS_CHANGED",
                "createdAt": "2026-01-02T14:46:59.653270",
                "data": payment,
            }
            self._tell(WEBHOOK, {}, msgspec.json.encode(message))
        return payment


def refusal(status: int, code: str) -> tuple[int, Json]:
    """How Toss says no."""
    return status, {"code": code, "message": code.lower()}
