"""The sandbox: remembers, decides once, signs what it says, and says it until it is heard."""

from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cart.adapters.payment_sandbox import REPETITIONS, SIGNATURE, Sandbox, Trick
from cart.adapters.signatures import FRESH_S
from cart.core.payment import Standing
from cart.ports.payments import Begun, Charge, ProviderSilent
from tests.cart.shop import SECRET, Shop, attempt

CHARGE = Charge("p1", "o1", "동백꽃차", 12_000, "KRW", "/orders/o1")
BODY = b'{"id":1,"payment":"p1","standing":"authorized"}'


async def test_money_moves_once_the_buyer_approved(shop: Shop) -> None:
    sandbox = shop.sandbox
    assert await sandbox.begin(CHARGE) == Begun("/sandbox/payments/p1", "p1")
    await sandbox.begin(CHARGE)
    await sandbox.decide("p1", Standing.AUTHORIZED)
    await sandbox.decide("p1", Standing.DECLINED)
    assert await sandbox.look_up(attempt("p1")) == Standing.AUTHORIZED
    for _ in range(2):
        assert await sandbox.confirm(attempt("p1")) == Standing.CONFIRMED
    assert await Sandbox(shop.engine, secret=SECRET).look_up(attempt("p1")) == Standing.CONFIRMED


@pytest.mark.parametrize(("amount", "currency"), [(1, "KRW"), (12_001, "KRW"), (12_000, "USD")])
async def test_another_amount_is_declined(shop: Shop, amount: int, currency: str) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED)
    assert (
        await shop.sandbox.confirm(attempt("p1", amount_minor=amount, currency=currency))
        == Standing.DECLINED
    )


async def test_undecided_unknown_and_cancelled_are_not_charged(shop: Shop) -> None:
    assert await shop.sandbox.confirm(attempt("nothing")) == Standing.DECLINED
    await shop.sandbox.begin(CHARGE)
    assert await shop.sandbox.confirm(attempt("p1")) == Standing.DECLINED
    await shop.sandbox.cancel(attempt("p2"))
    await shop.sandbox.begin(Charge("p2", "o1", "", 1, "KRW", "/"))
    await shop.sandbox.decide("p2", Standing.AUTHORIZED)
    assert await shop.sandbox.confirm(attempt("p2", amount_minor=1)) == Standing.CANCELLED
    assert await shop.sandbox.look_up(attempt("p2")) == Standing.CANCELLED


async def test_lost_answer_takes_the_money_and_sends_nothing(shop: Shop) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED, Trick.SILENT)
    with pytest.raises(ProviderSilent):
        await shop.sandbox.confirm(attempt("p1"))
    assert await shop.sandbox.look_up(attempt("p1")) == Standing.CONFIRMED
    assert await shop.sandbox._due() == []


async def test_first_charge_times_out_and_takes_nothing(shop: Shop) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED, Trick.TIMEOUT)
    with pytest.raises(ProviderSilent):
        await shop.sandbox.confirm(attempt("p1"))
    assert await shop.standing("p1") == Standing.AUTHORIZED
    assert await shop.sandbox.confirm(attempt("p1")) == Standing.CONFIRMED


async def test_delayed_approval_counts_later(shop: Shop) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED, Trick.DELAY)
    assert await shop.standing("p1") == Standing.PENDING
    assert await shop.sandbox._due() == []
    await shop.sql("UPDATE sandbox_payments SET since = now() - interval '1 second'")
    await shop.sql("UPDATE sandbox_notices SET post_at = now()")
    assert await shop.standing("p1") == Standing.AUTHORIZED
    assert len(await shop.sandbox._due()) == 1


async def test_messages_are_repeated_and_reordered_on_request(shop: Shop) -> None:
    for payment, trick in (("p1", Trick.REPEAT), ("p2", Trick.REORDER)):
        await shop.sandbox.begin(replace(CHARGE, payment=payment))
        await shop.sandbox.decide(payment, Standing.AUTHORIZED, trick)
        assert await shop.sandbox.confirm(attempt(payment)) == Standing.CONFIRMED
    told = [(notice.payment, notice.standing) for notice in await shop.sandbox._due()]
    approved, taken = ("p1", "authorized"), ("p1", "confirmed")
    assert told == [approved] * REPETITIONS + [taken] * REPETITIONS + [("p2", "confirmed")]
    await shop.sql("UPDATE sandbox_notices SET post_at = now() WHERE tries = 0")
    assert [notice.standing for notice in await shop.sandbox._due()] == ["authorized"]


def test_signature_holds_for_its_body_and_its_time(shop: Shop) -> None:
    read = shop.sandbox.read_webhook
    signed = {SIGNATURE: shop.sandbox.sign(BODY, 1_000)}
    assert read(signed, BODY, 1_000) == "p1"
    assert read(signed, BODY, 1_000 + FRESH_S) == "p1"
    assert read(signed, BODY, 1_001 + FRESH_S) is None
    assert read(signed, BODY, 999 - FRESH_S) is None
    assert read(signed, BODY + b" ", 1_000) is None
    other = Sandbox(shop.engine, secret=SECRET[::-1])
    assert other.read_webhook(signed, BODY, 1_000) is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1000",
        "v1=00",
        "t=,v1=",
        "t=-1000,v1=0",
        "t=1e3,v1=0",
        "t=" + "9" * 5_000 + ",v1=0",
        "t=1000,v1=é",
        "t=١٠٠٠,v1=0",
        "=,=,,,",
        "t=1000,v1=" + "0" * 64,
    ],
)
def test_crooked_signatures_are_refused(shop: Shop, header: str) -> None:
    assert shop.sandbox.read_webhook({SIGNATURE: header}, BODY, 1_000) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"payment":1}'])
def test_signed_nonsense_is_refused(shop: Shop, body: bytes) -> None:
    signed = {SIGNATURE: shop.sandbox.sign(body, 1_000)}
    assert shop.sandbox.read_webhook(signed, body, 1_000) is None


async def test_messages_are_posted_until_they_are_heard(shop: Shop) -> None:
    statuses, got = [503, 204, 204], []

    async def webhook(request: Request) -> Response:
        body = await request.body()
        got.append(shop.sandbox.read_webhook(request.headers, body, _stamp(request)))
        return Response(status_code=statuses.pop(0))

    app = Starlette(routes=[Route("/payments/sandbox/webhook", webhook, methods=["POST"])])
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        await shop.sandbox.post_due(client)
        await shop.sandbox.post_due(client)
        assert got == ["p1"], "not again at once"
        await shop.sql("UPDATE sandbox_notices SET post_at = now()")
        await shop.sandbox.post_due(client)
        await shop.sql("UPDATE sandbox_notices SET post_at = now()")
        await shop.sandbox.post_due(client)
    assert got == ["p1", "p1"]


def _stamp(request: Request) -> float:
    return float(request.headers[SIGNATURE].split(",")[0].removeprefix("t="))
