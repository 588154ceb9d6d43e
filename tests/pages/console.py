"""The seller's console over the canned server: signed in, its show's room open, at its products."""

from typing import Any

import msgpack
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, WELCOME

ACCOUNT = {"id": "a1", "name": "Dal", "email": "dal@example.com", "stores": ["flowers"]}


def answering(body: Any) -> Any:
    """A route that always answers this."""

    async def answer(route: Route) -> None:
        await route.fulfill(json=body)

    return answer


async def open_products(page: Page, count: int = 1) -> list[WebSocketRoute]:
    """Go there, where so many products are; what a test answers itself it has routed before.

    Gives the room's sockets.
    """
    sockets: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda _: socket.send(msgpack.packb([WELCOME])))

    await page.route_web_socket("**/shows/s1/events", serve)
    await page.route("**/me", answering(ACCOUNT))
    await page.route("**/stores/flowers/orders*", answering({"orders": []}))
    await page.route("**/stores/flowers/coupons", answering({"coupons": []}))
    await page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
    await page.goto(f"{BASE}/sell")
    await page.click("[data-test=tab-products]")
    await expect(page.locator("[data-test=product-list] > li")).to_have_count(count)
    return sockets
