"""The basket over a canned server: its quote, and what a coupon does to it."""

from typing import Any, Final

from playwright.async_api import Page, Route, expect

from tests.pages.canned import BASE

HOLD: Final[dict[str, Any]] = {
    "id": "h1",
    "product": "p1",
    "sku": "p1",
    "title": "Peony",
    "options": ["Pink"],
    "quantity": 2,
    "price_minor": 32_000,
    "currency": "KRW",
    "state": "held",
    "extended": False,
    "expires_at_ms": 2**41,
}
QUOTE: Final[dict[str, Any]] = {
    "goods_minor": 64_000,
    "coupon": None,
    "coupon_minor": 0,
    "delivery_minor": 0,
    "points_minor": 0,
    "earns_minor": 640,
    "total_minor": 64_000,
    "currency": "KRW",
}
ACCOUNT: Final = {"id": "a2", "name": "Mina", "email": "mina@example.com", "stores": []}
ANSWERS: Final[dict[str, Any]] = {
    "/me": {**ACCOUNT, "account": ACCOUNT},
    "/stores/flowers/basket": {"holds": [HOLD], "now_ms": 0},
    "/me/points": {
        "wallet": {"ready_minor": 1_500, "pending_minor": 0},
        "expiring": [{"amount_minor": 500, "expires_at_ms": 1_796_000_000_000}],
        "entries": [],
    },
    "/me/addresses": {"addresses": []},
}


async def opened(page: Page, asked: list[Any]) -> None:
    """The basket of somebody who holds two; what is wished for is kept in `asked`."""

    async def quote(route: Route) -> None:
        wish = route.request.post_data_json or {}
        asked.append(wish)
        if wish["coupon"] == "NOPE":
            facts = {"code": "coupon_refused", "status": 409, "reason": "unknown"}
            await route.fulfill(status=409, json=facts)
        elif wish["coupon"]:
            off = {"coupon": "BLOOM", "coupon_minor": 3_000, "total_minor": 61_000}
            await route.fulfill(json=QUOTE | off)
        else:
            await route.fulfill(json=QUOTE)

    async def answer(route: Route) -> None:
        known = [body for end, body in ANSWERS.items() if route.request.url.endswith(end)]
        if known and route.request.headers.get("accept") == "application/json":
            await route.fulfill(json=known[0])
        else:
            await route.fallback()

    await page.route("**/*", answer)
    await page.route("**/quotes", quote)
    await page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
    await page.goto(f"{BASE}/stores/flowers/basket")
    await expect(page.locator("[data-test=quote-total]")).to_have_text("₩64,000")


async def test_a_basket_leads_back_to_its_store_and_tells_points_as_points(page: Page) -> None:
    await opened(page, [])
    await expect(page.locator("#basket-store")).to_have_attribute("href", "/stores/flowers")
    await expect(page.locator("[data-amount=earns]")).to_contain_text("640 points")
    await expect(page.locator("[data-points-label]")).to_have_text("Points (you have 1,500)")


async def test_a_coupon_counts_as_soon_as_it_is_written(page: Page) -> None:
    asked: list[Any] = []
    await opened(page, asked)
    counts = page.locator("[data-test=coupon-counts]")
    await page.fill("[data-test=coupon]", "BLOOM")
    await page.locator("[data-test=recipient-name]").focus()
    await expect(page.locator("[data-test=quote-total]")).to_have_text("₩61,000")
    await expect(counts).to_have_text("The coupon takes ₩3,000 off.")
    await page.fill("[data-test=coupon]", "NOPE")
    await page.click("[data-test=use-coupon]")
    alert = page.locator("[data-test=checkout-alert]")
    await expect(alert).to_have_text("There is no such coupon.")
    await expect(counts).to_be_hidden()
    await expect(page.locator("[data-test=quote-total]")).to_have_text("₩64,000")
    assert [wish["coupon"] for wish in asked] == [None, "BLOOM", "NOPE", None]


async def test_what_was_missing_is_no_longer_marked_once_it_is_written(page: Page) -> None:
    await opened(page, [])
    name = page.locator("[data-test=recipient-name]")
    await page.click("[data-test=pay]")
    await expect(name).to_have_attribute("aria-invalid", "true")
    await name.fill("Mina Kim")
    assert await name.get_attribute("aria-invalid") is None


async def test_the_account_tells_its_points(page: Page) -> None:
    await opened(page, [])
    await page.click("[data-test=account]")
    await expect(page.locator("[data-test=points-have]")).to_contain_text(
        "1,500 points · 500 of them until"
    )
