"""An order's page: where to pay, what went back, and who may give or have it back."""

from typing import Any, Final

import msgspec
import pytest
from playwright.async_api import Page, Request, Route, expect

from tests.pages.canned import BASE

ORDER: Final[dict[str, Any]] = {
    "id": "o1",
    "store": "flowers",
    "buyer": "a2",
    "state": "placed",
    "lines": [
        {
            "sku": "p1",
            "product": "p1",
            "title": "Peony",
            "options": [],
            "quantity": 3,
            "price_minor": 12_000,
            "coupon_minor": 0,
            "points_minor": 0,
        }
    ],
    "goods_minor": 36_000,
    "coupon": None,
    "coupon_minor": 0,
    "delivery_minor": 0,
    "points_minor": 0,
    "total_minor": 36_000,
    "earns_minor": 0,
    "currency": "KRW",
    "recipient": {"name": "Dal", "phone": "010", "postcode": "03187", "address": "Seoul"},
    "created_at_ms": 1,
    "expires_at_ms": 2**41,
    "now_ms": 1,
    "refunded_minor": 0,
    "refunds": [],
}
REFUND: Final[dict[str, Any]] = {
    "id": "r1",
    "state": "requested",
    "amount_minor": 12_000,
    "lines": [{"line": 0, "quantity": 1}],
    "restocked": True,
    "reason": "<b>wilted</b>",
    "created_at_ms": 1,
}
ACCOUNT: Final = {"email": "dal@example.com", "name": "Dal", "created_at_ms": 1, "stores": []}


class House:
    """The server of one order: what it was asked, and what it answers."""

    def __init__(self, order: dict[str, Any], providers: list[str]) -> None:
        self.order = order
        self.providers = providers
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    async def answer(self, route: Route, request: Request) -> None:
        """Answer what belongs to the order."""
        path = request.url.removeprefix(BASE)
        if request.headers.get("accept") != "application/json":
            await route.fallback()
            return
        if request.method == "POST":
            body = msgspec.json.decode(request.post_data) if request.post_data else None
            self.asked.append((path, request.headers, body))
        if "/pay" in path and request.method == "POST":
            await route.fulfill(json={"redirect": "/orders/o1?paid"})
            return
        if path.endswith(("/refunds", "/cancel")):
            self.order |= {"refunds": [REFUND], "refunded_minor": 12_000}
        await route.fulfill(json=self.order)


async def opened(page: Page, house: House, account: str) -> None:
    """The order's page, seen by somebody."""
    await page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
    me = {**ACCOUNT, "id": account}
    await page.route("**/me", lambda route: route.fulfill(json={"account": me, **me}))
    methods = {"providers": house.providers}
    await page.route("**/payments/methods", lambda route: route.fulfill(json=methods))
    await page.route("**/orders/o1**", house.answer)
    await page.goto(f"{BASE}/orders/o1")
    await expect(page.locator("#order-body")).to_be_visible()


async def test_one_provider_needs_no_choice(page: Page) -> None:
    house = House(dict(ORDER), ["sandbox"])
    await opened(page, house, "a2")
    await expect(page.locator("[data-test=order-methods]")).to_be_hidden()
    await page.click("[data-test=order-pay]")
    await page.wait_for_url("**/orders/o1?paid")
    assert ("/orders/o1/pay", None) in [(path, body) for path, _, body in house.asked]


@pytest.mark.parametrize("provider", ["toss", "stripe"])
async def test_of_several_the_buyer_chooses_and_none_is_chosen_before(
    page: Page, provider: str
) -> None:
    house = House(dict(ORDER), ["toss", "stripe"])
    await opened(page, house, "a2")
    await expect(page.locator("[data-test=order-pay]")).to_be_hidden()
    choices = page.locator("[data-test=order-methods] button")
    await expect(choices).to_have_count(2)
    await expect(page.locator("[data-test=order-methods] :checked")).to_have_count(0)
    await page.click(f"[data-test=pay-{provider}]")
    await page.wait_for_url("**/orders/o1?paid")
    assert f"/orders/o1/pay?provider={provider}" in [path for path, _, _ in house.asked]


async def test_buyer_cancels_what_is_paid_and_sees_it_go_back(page: Page) -> None:
    house = House({**ORDER, "state": "paid"}, ["toss"])
    await opened(page, house, "a2")
    await expect(page.locator("[data-test=refund-give]")).to_be_hidden()
    await expect(page.locator("#refund-title")).to_be_hidden()
    await page.click("[data-test=refund-cancel]")
    await expect(page.locator("[data-promise]")).to_contain_text("36,000")
    await page.click("[data-test=refund-cancel-now]")
    row = page.locator("[data-test=refund]")
    await expect(row).to_contain_text("On its way")
    await expect(row).to_contain_text("<b>wilted</b>")
    assert [path for path, _, _ in house.asked] == ["/orders/o1/cancel"]


async def test_seller_gives_back_units_once_however_often_it_is_pressed(page: Page) -> None:
    lines = [{**ORDER["lines"][0], "options": ["Pink"]}]
    house = House({**ORDER, "state": "paid", "lines": lines}, ["toss"])
    await opened(page, house, "a1")
    await expect(page.locator("[data-test=refund-cancel]")).to_be_hidden()
    await page.click("[data-test=refund-give]")
    await expect(page.locator("[data-give]")).to_contain_text("Peony · Pink: how many of 3")
    await page.click("[data-test=refund-send]")
    await expect(page.locator("#refund [data-alert]")).to_be_visible()
    await page.fill("[data-test=refund-quantity]", "1")
    await page.fill("[data-test=refund-reason]", "wilted")
    await page.click("[data-test=refund-send]")
    await expect(page.locator("[data-test=refund]")).to_have_count(1)
    await expect(page.locator("[data-test=refund-quantity]")).to_have_attribute("max", "2")
    await expect(page.locator("[data-test=refund-reason]")).to_have_value("")
    ((path, headers, body),) = house.asked
    assert (path, len(headers["idempotency-key"])) == ("/orders/o1/refunds", 32)
    assert body == {
        "lines": [{"line": 0, "quantity": 1}],
        "restock": True,
        "reason": "wilted",
    }


@pytest.mark.parametrize(("state", "told"), [("paid", 1), ("cancelled", 0)])
async def test_an_order_that_is_over_earns_nothing(page: Page, state: str, told: int) -> None:
    await opened(page, House({**ORDER, "state": state, "earns_minor": 360}, ["toss"]), "a2")
    await expect(page.locator("[data-amount=earns]")).to_have_count(told)
