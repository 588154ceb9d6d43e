"""The sandbox: remembers, decides once, signs what it says, and says it until it is heard."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cart.adapters.payment_sandbox import FRESH_S, SIGNATURE, Sandbox
from cart.core.payment import Standing
from cart.ports import Charge, ProviderSilent
from tests.cart.shop import SECRET, Shop

CHARGE = Charge("p1", "o1", "동백꽃차", 12_000, "KRW", "/orders/o1")
BODY = b'{"id":1,"payment":"p1","standing":"authorized"}'


async def test_money_moves_once_the_buyer_approved(shop: Shop) -> None:
    sandbox = shop.sandbox
    assert await sandbox.begin(CHARGE) == "/sandbox/payments/p1"
    await sandbox.begin(CHARGE)
    await sandbox.decide("p1", Standing.AUTHORIZED)
    await sandbox.decide("p1", Standing.DECLINED)
    assert await sandbox.look_up("p1") == Standing.AUTHORIZED
    for _ in range(2):
        assert await sandbox.confirm("p1", 12_000, "KRW") == Standing.CONFIRMED
    assert await Sandbox(shop.engine, secret=SECRET).look_up("p1") == Standing.CONFIRMED


@pytest.mark.parametrize(("amount", "currency"), [(1, "KRW"), (12_001, "KRW"), (12_000, "USD")])
async def test_another_amount_is_declined(shop: Shop, amount: int, currency: str) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED)
    assert await shop.sandbox.confirm("p1", amount, currency) == Standing.DECLINED


async def test_undecided_unknown_and_cancelled_are_not_charged(shop: Shop) -> None:
    assert await shop.sandbox.confirm("nothing", 1, "KRW") == Standing.DECLINED
    await shop.sandbox.begin(CHARGE)
    assert await shop.sandbox.confirm("p1", 12_000, "KRW") == Standing.DECLINED
    await shop.sandbox.cancel("p2")
    await shop.sandbox.begin(Charge("p2", "o1", "", 1, "KRW", "/"))
    await shop.sandbox.decide("p2", Standing.AUTHORIZED)
    assert await shop.sandbox.confirm("p2", 1, "KRW") == Standing.DECLINED
    assert await shop.sandbox.look_up("p2") == Standing.CANCELLED


async def test_lost_answer_takes_the_money_and_sends_nothing(shop: Shop) -> None:
    await shop.sandbox.begin(CHARGE)
    await shop.sandbox.decide("p1", Standing.AUTHORIZED, silent=True)
    with pytest.raises(ProviderSilent):
        await shop.sandbox.confirm("p1", 12_000, "KRW")
    assert await shop.sandbox.look_up("p1") == Standing.CONFIRMED
    assert await shop.sandbox._due() == []


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
