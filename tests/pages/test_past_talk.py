"""What was said in a show that is over, read again on its page, with a canned room."""

from typing import Any, Final

import msgpack
from playwright.async_api import Page, Request, Route, WebSocketRoute, expect

from tests.pages.canned import BASE, WELCOME

MINA: Final = {"id": "a1", "name": "Mina", "seller": True, "moderator": False, "assistant": False}
JUN: Final = {"id": "a9", "name": "Jun", "seller": False, "moderator": False, "assistant": False}


def said(number: int, offset_ms: int | None, **other: Any) -> dict[str, Any]:
    """A message of the archive."""
    told = {"id": f"m{number}", "from": JUN, "text": f"<b>{number}</b>", "at_ms": 0}
    facts = {"offset_ms": offset_ms, "reply_to": None, "deleted": False, "shadowed": False}
    return told | facts | other


PAGES: Final[dict[str | None, dict[str, Any]]] = {
    None: {"messages": [said(1, 3_849_000), said(2, 9_000, **{"from": MINA})], "next": "2.m2"},
    "2.m2": {"messages": [said(3, None)], "next": None},
}
WHOLE: Final = {"messages": [said(1, 1_000, deleted=True), said(2, 2_000, shadowed=True)]}


class Archive:
    """A server whose archive answers; `away` while it does not."""

    def __init__(self, page: Page, you: dict[str, Any] | None) -> None:
        self.page = page
        self.away = False
        self.sockets: list[WebSocketRoute] = []
        self._welcome = WELCOME | {"stage": "ended", "on_air": False, "you": you}

    async def open(self) -> None:
        """Come to the show that is over, and ask for what was said."""
        await self.page.route("**/shows/s1/chat*", self._pages)
        await self.page.route("**/shows/s1/moderation/chat*", self._whole)
        await self.page.route_web_socket("**/shows/s1/events", self._serve)
        await self.page.goto(f"{BASE}/shows/s1/watch")
        await self.page.click("[data-test=past-open]")

    def _serve(self, socket: WebSocketRoute) -> None:
        def receive(_message: str | bytes) -> None:
            socket.send(msgpack.packb([self._welcome | {"you": None}]))
            self.sockets.append(socket)

        socket.on_message(receive)

    def welcome(self) -> None:
        """Tell the page who it is."""
        self.sockets[-1].send(msgpack.packb([self._welcome]))

    async def _pages(self, route: Route, request: Request) -> None:
        if self.away:
            await route.fulfill(status=503, json={"code": "store_lost"})
            return
        after = request.url.partition("after=")[2] or None
        await route.fulfill(json={"began_at_ms": 1} | PAGES[after])

    async def _whole(self, route: Route) -> None:
        await route.fulfill(json={"began_at_ms": 1, "next": None} | WHOLE)


async def test_a_page_after_the_other_is_read_from_the_beginning_on(page: Page) -> None:
    archive = Archive(page, None)
    await archive.open()
    lines = page.locator("[data-test=past-said]")
    await expect(lines).to_have_text(["1:04:09Jun<b>1</b>", "0:09MinaSeller<b>2</b>"])
    await page.click("[data-test=past-more]")
    await expect(lines).to_have_count(3)
    await expect(lines.nth(2).locator("button")).to_be_focused()
    await expect(page.locator("[data-test=past-more]")).to_be_hidden()
    await page.click("[data-test=past-talk] [data-close]")
    await page.click("[data-test=past-open]")
    await expect(lines).to_have_count(2)


async def test_a_page_that_does_not_come_can_be_asked_for_again(page: Page) -> None:
    archive = Archive(page, None)
    archive.away = True
    await archive.open()
    await expect(page.locator("[data-test=past-talk] [role=alert]")).to_be_visible()
    archive.away = False
    await page.click("[data-test=past-more]")
    await expect(page.locator("[data-test=past-said]")).to_have_count(2)
    await expect(page.locator("[data-test=past-talk] [role=alert]")).to_be_hidden()


async def test_the_seller_sees_what_was_deleted(page: Page) -> None:
    archive = Archive(page, MINA | {"sanctions": []})
    await archive.open()
    lines = page.locator("[data-test=past-said]")
    await expect(lines.nth(0)).not_to_contain_text("Deleted")
    archive.welcome()
    await expect(lines.nth(0)).to_contain_text("Deleted")
    await expect(lines.nth(1)).to_contain_text("Seen by its author alone")
    await lines.nth(1).locator("button").click()
    await expect(page.locator("[data-test=past-talk]")).to_be_hidden()
    await expect(page.locator("[data-test=deed-sheet]")).to_be_visible()
