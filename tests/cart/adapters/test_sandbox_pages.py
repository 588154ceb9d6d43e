"""The sandbox's page: in both languages, nothing inline, one decision, back to the order."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Mount

from cart.adapters.sandbox_pages import STRINGS, sandbox_app
from cart.core.payment import Standing
from cart.ports.payments import Charge
from tests.cart.shop import Shop

CHARGE = Charge("p1", "o1", "<b>동백</b>", 12_900, "KRW", "/orders/o1")
PAGE = "/sandbox/payments/p1"


@pytest_asyncio.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without cookies, in front of the mounted sandbox with one payment."""
    await shop.sandbox.begin(CHARGE)
    app = Starlette(routes=[Mount("/sandbox", sandbox_app(shop.sandbox))])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


def test_languages_say_the_same() -> None:
    assert set(STRINGS) == {"ko", "en"}
    assert set(STRINGS["ko"]) == set(STRINGS["en"])


async def test_page_speaks_the_buyers_language(client: httpx.AsyncClient) -> None:
    korean = await client.get(PAGE, headers={"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"})
    assert 'lang="ko"' in korean.text
    assert "12,900원" in korean.text
    chosen = await client.get(PAGE + "?lang=en", headers={"accept-language": "ko"})
    assert 'lang="en"' in chosen.text
    assert "₩12,900" in chosen.text
    cookie = await client.get(PAGE, headers={"cookie": "kkot_lang=ko"})
    assert 'lang="ko"' in cookie.text
    assert 'lang="en"' in (await client.get(PAGE, headers={"accept-language": "fr"})).text


async def test_page_has_nothing_inline_and_escapes_words(client: httpx.AsyncClient) -> None:
    page = await client.get(PAGE)
    assert "<b>" not in page.text
    assert "&lt;b&gt;" in page.text
    assert not any(word in page.text for word in ("<style", "<script", "style=", "onclick"))
    css = await client.get("/sandbox/sandbox.css")
    assert (css.status_code, css.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize(
    ("choice", "standing"),
    [
        ("approve", Standing.AUTHORIZED),
        ("decline", Standing.DECLINED),
        ("silent", Standing.AUTHORIZED),
        ("timeout", Standing.AUTHORIZED),
        ("repeat", Standing.AUTHORIZED),
        ("reorder", Standing.AUTHORIZED),
        ("delay", Standing.PENDING),
    ],
)
async def test_button_decides_once_and_leads_back(
    shop: Shop, client: httpx.AsyncClient, choice: str, standing: Standing
) -> None:
    for each in (choice, "decline"):
        answer = await client.post(f"{PAGE}/{each}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/orders/o1")
    assert await shop.standing("p1") == standing
    assert "/approve" not in (await client.get(PAGE)).text


@pytest.mark.parametrize("path", ["p1/steal", "p2/approve", "%00/approve", "p1/APPROVE"])
async def test_other_decisions_do_not_exist(
    shop: Shop, client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.post(f"/sandbox/payments/{path}")).status_code == 404
    assert await shop.standing("p1") == Standing.PENDING


@pytest.mark.parametrize("payment", ["p2", "%00", "x" * 500])
async def test_unknown_payment_is_said_so(client: httpx.AsyncClient, payment: str) -> None:
    assert (await client.get(f"/sandbox/payments/{payment}")).status_code == 404
