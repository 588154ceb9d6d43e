"""Choosing among a product's options, with a canned room and a canned till."""

from typing import Any, Final

import msgpack
from playwright.async_api import Page, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, PRODUCT, WELCOME

CHOICES: Final = (("Pink", "S", 2), ("Pink", "L", 0), ("White", "L", 1))
SKUS: Final = [
    PRODUCT["skus"][0]
    | {"id": f"{colour} {size}", "options": [colour, size], "free": free, "on_hand": free}
    | {"code": f"{colour[0]}{size}"}
    | {"price_minor": 32_000 if size == "S" else 48_000}
    for colour, size, free in CHOICES
]
TULIPS: Final = PRODUCT | {"option_names": ["Colour", "Size"], "skus": SKUS, "free": 3}
WAIT: Final = {
    "id": "w1",
    "sku": "Pink L",
    "product": "p1",
    "title": "Peony",
    "options": ["Pink", "L"],
    "state": "waiting",
}
ACCOUNT: Final = {"id": "a2", "name": "Mina", "email": "mina@example.com"}


async def open_watch(page: Page, asked: list[Any]) -> list[WebSocketRoute]:
    """The watch page with the tulips pinned; what is held or waited for is kept in `asked`."""
    sockets: list[WebSocketRoute] = []

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        codes = {"type": "codes", "open": True}
        welcome = WELCOME | {"products": [TULIPS], "offers": [codes]}
        socket.on_message(lambda _: socket.send(msgpack.packb([welcome])))

    async def hold(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route.request.post_data_json)
            await route.fulfill(status=409, json={"code": "price_changed", "status": 409})
        else:
            await route.fulfill(json={"holds": [], "now_ms": 0})

    async def wait(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(route.request.post_data_json)
        wanted = [{**WAIT, "place": len(asked)}] if asked else []
        await route.fulfill(json={"waits": wanted, "now_ms": 0})

    await page.route_web_socket("**/shows/s1/events", serve)
    await page.route("**/me", lambda route: route.fulfill(json={"account": ACCOUNT, "stores": []}))
    await page.route("**/holds", hold)
    await page.route("**/waits", wait)
    await page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
    await page.goto(f"{BASE}/shows/s1/watch")
    return sockets


async def test_only_what_is_to_be_had_can_be_bought(page: Page) -> None:
    asked: list[Any] = []
    await open_watch(page, asked)
    await expect(page.locator("[data-test=price]")).to_have_text("from ₩32,000")
    await page.click("[data-test=buy]")
    sheet = page.locator("[data-test=options]")
    await expect(sheet).to_be_visible()
    buy = page.locator("[data-test=options-buy]")
    await expect(buy).to_be_disabled()
    assert await sheet.locator("input:checked").count() == 0, "nothing is chosen beforehand"
    await sheet.locator(".chip", has_text="Pink").click()
    await sheet.locator(".chip", has_text="S").last.click()
    await sheet.locator(".chip", has_text="White").click()
    await expect(sheet.locator("[data-test=option-stock]")).to_contain_text("no such")
    await expect(buy).to_be_disabled()
    await sheet.locator(".chip", has_text="Pink").click()
    await expect(sheet.locator("input[value=L]")).to_have_attribute("data-gone", "")
    await expect(sheet.locator("[data-test=option-stock]")).to_have_text("2 left")
    await expect(sheet.locator(".price")).to_have_text("₩32,000")
    await buy.click()
    await expect(page.locator("[data-test=alert]")).to_contain_text("price has just changed")
    assert asked == [{"lines": [{"sku": "Pink S", "price_minor": 32_000}], "show": "s1"}]


async def test_what_goes_while_one_chooses_cannot_be_bought(page: Page) -> None:
    asked: list[Any] = []
    sockets = await open_watch(page, asked)
    await page.click("[data-test=buy]")
    sheet = page.locator("[data-test=options]")
    await sheet.locator(".chip", has_text="White").click()
    await sheet.locator(".chip", has_text="L").last.click()
    buy = page.locator("[data-test=options-buy]")
    await expect(buy).to_have_text("Buy")
    gone = [{"id": sku["id"], "free": 0, "held": 1} for sku in SKUS]
    told = {"type": "stock", "product": "p1", "free": 0, "held": 3, "skus": gone, "version": 9}
    sockets[-1].send(msgpack.packb([told]))
    await expect(buy).to_have_text("Tell me when one is free")
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    assert asked == []


async def test_what_is_sold_out_is_waited_for_where_it_is_chosen(page: Page) -> None:
    asked: list[Any] = []
    await open_watch(page, asked)
    await page.click("[data-test=buy]")
    sheet = page.locator("[data-test=options]")
    await sheet.locator(".chip", has_text="L").last.click()
    await sheet.locator(".chip", has_text="Pink").click()
    await expect(sheet.locator("[data-test=option-stock]")).to_have_text("Sold out")
    await expect(page.locator("[data-test=option-code]")).to_be_hidden()
    await page.click("[data-test=options-buy]")
    await expect(sheet).to_be_hidden()
    place = page.locator("[data-test=pinned] [data-test=wait-place]")
    await expect(place).to_have_text("Pink · L · You are number 1 in line")
    assert asked == [{"sku": "Pink L", "show": "s1"}]
    await page.click("[data-test=buy]")
    await sheet.locator(".chip", has_text="L").last.click()
    await sheet.locator(".chip", has_text="Pink").click()
    await expect(page.locator("[data-test=options-buy]")).to_be_disabled()


async def test_a_code_is_told_where_its_option_is_chosen_and_only_while_codes_buy(
    page: Page,
) -> None:
    sockets = await open_watch(page, [])
    code = page.locator("[data-test=code]")
    await expect(code).to_have_text("Each option has a code for the chat")
    await page.click("[data-test=buy]")
    sheet = page.locator("[data-test=options]")
    await sheet.locator(".chip", has_text="White").click()
    await sheet.locator(".chip", has_text="L").last.click()
    told = page.locator("[data-test=option-code]")
    await expect(told).to_have_text("Say WL in the chat to buy")
    sockets[-1].send(msgpack.packb([{"type": "codes", "open": False, "offset": 4}]))
    await expect(told).to_be_hidden()
    await expect(code).to_be_hidden()
