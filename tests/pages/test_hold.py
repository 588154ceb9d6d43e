"""The sheet of what is held of a product: one more, one less, and all of it in one quote."""

from itertools import count
from typing import Any, Final

import msgpack
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, PRODUCT, WELCOME
from tests.pages.console import answering
from tests.pages.test_basket import ANSWERS, HOLD, QUOTE

NOW_MS: Final = 1_000_000


async def open_watch(page: Page, holds: list[Any]) -> list[Any]:
    """The watch page of a buyer who gets whatever is asked for; gives what quotes were asked of."""
    quoted: list[Any] = []
    numbers = count(1)

    def serve(socket: WebSocketRoute) -> None:
        socket.on_message(lambda _: socket.send(msgpack.packb([WELCOME])))

    async def hold(route: Route) -> None:
        request = route.request
        if request.method == "POST":
            made = {"id": f"h{next(numbers)}", "options": [], "quantity": 1}
            holds.append(HOLD | made | {"expires_at_ms": NOW_MS + 300_000})
            await route.fulfill(json={"holds": holds[-1:], "now_ms": NOW_MS})
        elif request.method == "DELETE":
            holds[:] = [one for one in holds if not request.url.endswith(one["id"])]
            await route.fulfill(status=204)
        else:
            await route.fulfill(json={"holds": holds, "now_ms": NOW_MS})

    async def answer(route: Route) -> None:
        known = [body for end, body in ANSWERS.items() if route.request.url.endswith(end)]
        if route.request.url.endswith("/quotes"):
            wish = route.request.post_data_json or {}
            quoted.append(wish["holds"])
            total = 32_000 * len(wish["holds"])
            await route.fulfill(json=QUOTE | {"goods_minor": total, "total_minor": total})
        elif known and route.request.headers.get("accept") == "application/json":
            await route.fulfill(json=known[0])
        else:
            await route.fallback()

    await page.route("**/*", answer)
    await page.route("**/holds**", hold)
    await page.route_web_socket("**/shows/s1/events", serve)
    await page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
    await page.goto(f"{BASE}/shows/s1/watch")
    return quoted


async def test_one_more_is_held_and_ordered_with_the_first(page: Page) -> None:
    holds: list[Any] = []
    quoted = await open_watch(page, holds)
    await page.click("[data-test=buy]")
    lines = page.locator("[data-test=hold-line]")
    total = page.locator("#hold-sheet [data-test=quote-total]")
    await expect(total).to_have_text("₩32,000")
    await expect(page.locator("[data-test=hold-remove]")).to_have_count(0)
    await page.fill("#hold-sheet [data-test=recipient-name]", "Mina Kim")
    await page.click("[data-test=hold-more]")
    await expect(lines).to_have_count(2)
    await expect(total).to_have_text("₩64,000")
    await expect(page.locator("[data-test=recipient-name]")).to_have_value("Mina Kim")
    await page.locator("[data-test=hold-remove]").first.click()
    await expect(lines).to_have_count(1)
    await expect(total).to_have_text("₩32,000")
    assert quoted == [["h1"], ["h1", "h2"], ["h2"]]
    await page.click("[data-test=release]")
    await expect(page.locator("[data-test=hold]")).to_be_hidden()
    await expect(page.locator("[data-test=buy]")).to_have_text("Buy")
    assert holds == []


async def test_an_offer_of_another_store_is_taken_too(page: Page) -> None:
    await open_watch(page, [])
    offered = HOLD | {"id": "w1", "product": "p9", "title": "Tulip", "expires_at_ms": 2**41}
    wait = {**offered, "state": "offered", "place": None, "sku": "p9"}
    tulip = PRODUCT | {"id": "p9", "store": "tulips", "title": "Tulip"}
    for path, body in (
        ("waits", {"waits": [wait], "now_ms": NOW_MS}),
        ("products/p9", tulip),
        ("holds", {"holds": [offered], "now_ms": NOW_MS}),
    ):
        await page.route(f"**/{path}", answering(body))
    await page.reload()
    await page.click("[data-test=offer-take]")
    await expect(page.locator("[data-test=hold-line]")).to_contain_text("Tulip")
    await expect(page.locator("[data-test=hold-more]")).to_be_hidden()


async def test_what_runs_out_leaves_the_rest_to_be_paid(page: Page) -> None:
    short = HOLD | {"id": "h8", "options": [], "expires_at_ms": NOW_MS + 2_000}
    long = HOLD | {"id": "h9", "options": [], "expires_at_ms": NOW_MS + 300_000}
    quoted = await open_watch(page, [short, long])
    await expect(page.locator("[data-test=buy]")).to_have_text("Pay")
    await page.click("[data-test=buy]")
    await expect(page.locator("[data-test=hold-line]")).to_have_count(1)
    await expect(page.locator("[data-gone]").last).to_be_hidden()
    await expect(page.locator("[data-test=pay]")).to_be_enabled()
    assert quoted[-1] == ["h9"]
