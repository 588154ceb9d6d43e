"""The seller's orders, further back page by page."""

from typing import Any, Final

import msgpack
from playwright.async_api import Page, Route, expect

from tests.pages.console import open_products

PAGE: Final = 100
ORDERS: Final = PAGE + 3


def order(number: int) -> dict[str, Any]:
    """The so many-th order of the store."""
    line = {"title": f"Peony <{number}>", "options": [], "quantity": 1}
    told = {"id": f"o{number}", "state": "paid", "total_minor": 32_000, "currency": "KRW"}
    return told | {"lines": [line], "created_at_ms": number, "recipient": {"name": "Mina"}}


async def test_the_orders_go_back_page_by_page_and_none_is_lost(page: Page) -> None:
    asked: list[str] = []

    async def answer(route: Route) -> None:
        before = route.request.url.partition("?before=")[2]
        asked.append(before)
        newest = int(before[1:]) - 1 if before else ORDERS
        found = [order(number) for number in range(newest, max(0, newest - PAGE), -1)]
        await route.fulfill(json={"orders": found})

    sockets = await open_products(page)
    await page.route("**/stores/flowers/orders*", answer)
    await page.reload()
    await page.click("[data-test=tab-orders]")
    rows = page.locator("[data-test=order]")
    await expect(rows).to_have_count(PAGE)
    await expect(rows.first).to_contain_text(f"Peony <{ORDERS}>")
    told = {"type": "order", "order": order(ORDERS + 1)}
    sockets[-1].send(msgpack.packb([told]))
    await expect(rows.first).to_contain_text(f"Peony <{ORDERS + 1}>")
    await expect(rows).to_have_count(PAGE)
    await page.click("[data-test=orders-more]")
    await expect(rows).to_have_count(ORDERS + 1)
    await expect(rows.last).to_contain_text("Peony <1>")
    await expect(page.locator("[data-test=orders-more]")).to_be_hidden()
    assert asked == ["", "o5"]
