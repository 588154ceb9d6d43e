"""The seller's stock at a glance, which follows the room."""

from typing import Any, Final

import msgpack
from playwright.async_api import Page, Route, expect

from tests.pages.canned import stock
from tests.pages.console import open_products

TULIP: Final[dict[str, Any]] = {
    "sku": "k1",
    "product": "p2",
    "title": "Tulip <b>",
    "options": ["Pink", "S"],
    "code": "T1",
    "free": 0,
    "held": 2,
    "sold": 1_200,
    "waiting": 5,
}
PEONY: Final = TULIP | {"sku": "p1", "product": "p1", "title": "Peony", "options": [], "code": None}


async def test_each_sku_its_sums_and_what_the_room_moves(page: Page) -> None:
    lines = [TULIP, PEONY | {"free": 7, "held": 0, "waiting": 0}]

    async def answer(route: Route) -> None:
        await route.fulfill(json={"skus": lines})

    await page.route("**/stores/flowers/stock", answer)
    sockets = await open_products(page)
    await page.click("[data-test=stock-open]")
    rows = page.locator("[data-test=stock-line]")
    await expect(rows).to_have_text(["Tulip <b> · Pink · Scode T1021,2005", "Peony701,2000"])
    await expect(page.locator("#stock-sums")).to_have_text("In all722,4005")
    lines[0] = TULIP | {"waiting": 4, "held": 3}
    sockets[-1].send(
        msgpack.packb([{"type": "waiting", "product": "p2", "sku": "k1", "waiting": 4}])
    )
    sockets[-1].send(msgpack.packb([stock(7, 0, 9)]))
    await expect(rows.first).to_contain_text("031,2004")


async def test_a_store_without_products_is_told_so(page: Page) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(json={"skus": []})

    await page.route("**/stores/flowers/stock", answer)
    await open_products(page)
    await page.click("[data-test=stock-open]")
    await expect(page.locator("#stock-empty")).to_be_visible()
    await expect(page.locator("#stock-table")).to_be_hidden()
