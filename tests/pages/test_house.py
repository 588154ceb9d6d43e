"""What a viewer's page tells of the room's rules, and what it lets somebody do about a message."""

import asyncio
from typing import Any, Final

import msgpack
import pytest
from playwright.async_api import Locator, Page, Request, Route, WebSocketRoute, expect

from chat.core.closes import COME_BACK, Close
from tests.pages.canned import BASE, WELCOME

YOU: Final = {"id": "a9", "name": "Jun", "seller": False, "moderator": False}
ROOM: Final[dict[str, Any]] = WELCOME["room"]
OTHER: Final[dict[str, Any]] = {
    "type": "said",
    "id": "m2",
    "text": "buy elsewhere",
    "at_ms": 0,
    "from": {"id": "a7", "name": "Troll", "seller": False, "moderator": False},
}


class Door:
    """The room as the page meets it: what it asks is noted, what it is told the test decides."""

    def __init__(self, page: Page, you: dict[str, Any] | None) -> None:
        self.page = page
        self.posted: list[tuple[str, Any]] = []
        self.hellos = 0
        self.came_back = asyncio.Event()
        """Set once the page has come in twice."""
        self._you = you
        self._socket = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Come in; somebody signed in is known by then."""
        if self._you is not None:
            await self.page.add_init_script("localStorage.setItem('kkot.signed_in', '1')")
            await self.page.route("**/me", self._me)
        await self.page.route("**/moderation/*", self._note)
        await self.page.route_web_socket("**/shows/s1/events", self._serve)
        await self.page.goto(f"{BASE}/shows/s1/watch")
        await self.part("said").first.wait_for()

    def tell(self, *events: dict[str, Any]) -> None:
        """Tell the page."""
        self._socket.result().send(msgpack.packb(list(events)))

    async def close(self, code: int) -> None:
        """End the page's connection."""
        await self._socket.result().close(code=code)

    def part(self, test: str) -> Locator:
        """A part of the page."""
        return self.page.locator(f"[data-test={test}]")

    def _serve(self, socket: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            said = msgpack.unpackb(message)
            if said["type"] == "hello":
                you = None if self._you is None else {"sanctions": [], **self._you}
                socket.send(msgpack.packb([WELCOME | {"you": you}]))
                self.hellos += 1
                if self.hellos == 2:
                    self.came_back.set()
                if not self._socket.done():
                    self._socket.set_result(socket)
            if said["type"] == "say":
                refused = {"type": "refused", "id": said["id"], "reason": "muted"}
                socket.send(msgpack.packb([refused | {"until_ms": 90_000}]))

        socket.on_message(receive)

    async def _me(self, route: Route) -> None:
        await route.fulfill(json={**YOU, "email": "jun@kkot.example", "stores": []})

    async def _note(self, route: Route, request: Request) -> None:
        self.posted.append((request.url.rpartition("/")[2], request.post_data_json))
        await route.fulfill(status=204)


async def enter(page: Page, you: dict[str, Any] | None = YOU) -> Door:
    """A door that is open, its clock standing still at zero."""
    await page.clock.install(time=0)
    await page.clock.pause_at(1_000)
    door = Door(page, you)
    await door.open()
    return door


async def test_a_frozen_room_says_so_and_takes_no_message(page: Page) -> None:
    door = await enter(page)
    await expect(door.part("house")).to_be_hidden()
    door.tell(ROOM | {"frozen": True, "version": 2}, ROOM | {"version": 1})
    await expect(door.part("house")).to_contain_text("frozen")
    await expect(door.part("say")).to_be_disabled()
    door.tell(ROOM | {"version": 3})
    await expect(door.part("house")).to_be_hidden()
    await expect(door.part("say")).to_be_enabled()


async def test_a_moderator_may_write_in_a_frozen_room(page: Page) -> None:
    door = await enter(page, YOU | {"moderator": True})
    door.tell(ROOM | {"frozen": True, "slow_s": 30, "version": 2})
    await expect(door.part("house")).to_contain_text("frozen")
    await expect(door.part("say")).to_be_enabled()


async def test_a_mute_is_told_with_the_time_that_is_left_and_ends_by_itself(page: Page) -> None:
    door = await enter(page)
    mute = {"type": "sanction", "account": "a9", "kind": "mute", "lifted": False}
    door.tell(mute | {"account": "a7", "until_ms": None, "version": 1})
    await expect(door.part("house")).to_be_hidden()
    door.tell(mute | {"until_ms": 60_000, "version": 2})
    await expect(door.part("house")).to_contain_text("You are muted.")
    await expect(door.part("house-left")).to_have_text("1:00")
    await page.clock.run_for(20_500)
    await expect(door.part("house-left")).to_have_text("0:40")
    await expect(door.part("say")).to_be_disabled()
    await page.clock.run_for(41_000)
    await expect(door.part("house")).to_be_hidden()
    await expect(door.part("say")).to_be_enabled()


async def test_who_is_muted_already_learns_it_when_speaking_and_is_freed_when_it_is_lifted(
    page: Page,
) -> None:
    door = await enter(page)
    await page.fill("[data-test=say]", "hello")
    await page.press("[data-test=say]", "Enter")
    await expect(door.part("house-left")).to_have_text("1:30")
    assert await page.input_value("[data-test=say]") == "hello"
    lifted = {"type": "sanction", "account": "a9", "kind": "mute", "until_ms": None}
    door.tell(lifted | {"version": 7, "lifted": True})
    await expect(door.part("house")).to_be_hidden()


async def test_who_comes_back_muted_is_told_so_at_once(page: Page) -> None:
    mute = {"type": "sanction", "account": "a9", "kind": "mute", "until_ms": 60_000, "version": 2}
    door = await enter(page, YOU | {"sanctions": [mute]})
    await expect(door.part("house-left")).to_have_text("1:00")
    await expect(door.part("say")).to_be_disabled()


async def test_a_pinned_message_stays_on_top_as_text(page: Page) -> None:
    door = await enter(page)
    pinned = {"id": "m9", "name": "Sora", "text": "<b>Free delivery</b> today"}
    door.tell(ROOM | {"pinned_saying": pinned, "version": 1})
    await expect(door.part("pinned-saying")).to_contain_text("Sora <b>Free delivery</b> today")
    door.tell(ROOM | {"version": 2})
    await expect(door.part("pinned-saying")).to_be_hidden()


@pytest.mark.parametrize("code", Close)
async def test_a_page_comes_back_after_the_codes_that_say_so_and_no_other(
    page: Page, code: Close
) -> None:
    door = await enter(page)
    await page.fill("[data-test=say]", "hello")
    await door.close(code)
    told = page.locator("#connection")
    if code in COME_BACK:
        await expect(told).to_contain_text("Reconnecting")
        await page.clock.run_for(1_100)
        await expect(told).to_be_hidden()
        assert door.hellos == 2
        return
    gone = code is Close.NO_SUCH_SHOW
    await expect(told).to_contain_text("closed" if gone else "Reload the page")
    await page.clock.run_for(120_000)
    assert door.hellos == 1
    await page.press("[data-test=say]", "Enter")
    await expect(page.locator("#talk-alert")).to_contain_text("away")
    assert await page.input_value("[data-test=say]") == "hello"


async def test_who_is_dismissed_is_offered_nothing_more_than_a_viewer_is(page: Page) -> None:
    door = await enter(page, YOU | {"moderator": True})
    door.tell(OTHER)
    await door.part("said").nth(1).click()
    await expect(door.part("deed-ban")).to_be_visible()
    appointed = {"type": "moderator", "account": "a7", "moderates": False, "offset": 4}
    door.tell(appointed, OTHER | {"id": "m3"})
    await expect(door.part("said")).to_have_count(3)
    await expect(door.part("deed-sheet")).to_be_visible()
    door.tell(
        appointed | {"account": YOU["id"], "offset": 5}, ROOM | {"frozen": True, "version": 2}
    )
    await expect(door.part("deed-sheet")).to_be_hidden()
    await expect(door.part("say")).to_be_disabled()
    await door.part("said").nth(1).click()
    await expect(page.locator("#deeds button")).to_have_count(1)
    door.tell(appointed | {"account": YOU["id"], "moderates": True, "offset": 6})
    await expect(door.part("say")).to_be_enabled()


async def test_who_has_bought_is_told_from_others(page: Page) -> None:
    door = await enter(page)
    door.tell(OTHER | {"from": OTHER["from"] | {"buyer": True}}, OTHER | {"id": "m3"})
    await expect(door.part("said")).to_have_count(3)
    await expect(door.part("said").nth(1).locator(".said-role")).to_have_text("Buyer")
    await expect(door.part("said").nth(2).locator(".said-role")).to_have_count(0)


async def test_who_takes_another_name_comes_in_under_it(page: Page) -> None:
    named: list[Any] = []

    async def me(route: Route, request: Request) -> None:
        if request.method == "PATCH":
            named.append(request.post_data_json)
        name = named[-1]["name"] if named else YOU["name"]
        account = YOU | {"name": name, "email": "jun@kkot.example", "stores": []}
        await route.fulfill(json=account)

    door = await enter(page)
    await page.route("**/me", me)
    await door.part("account").click()
    await page.fill("[data-test=nickname]", "Juni")
    await page.click("[data-test=rename]")
    await expect(page.locator(".account-name")).to_contain_text("Juni")
    assert named == [{"name": "Juni"}]
    await door.came_back.wait()


async def test_what_one_has_said_is_erased_with_two_taps(page: Page) -> None:
    answers: list[dict[str, Any]] = [
        {"status": 503, "json": {"code": "store_lost"}},
        {"json": {"messages": 12}},
    ]

    async def erase(route: Route, request: Request) -> None:
        assert request.method == "DELETE"
        await route.fulfill(**answers.pop(0))

    door = await enter(page)
    await page.route("**/me/chat", erase)
    await door.part("account").click()
    await expect(door.part("erase-now")).to_be_hidden()
    await door.part("erase").locator("summary").click()
    for told in ("try again", "12"):
        await door.part("erase-now").click()
        await expect(door.part("erase").get_by_role("status")).to_contain_text(told)
    await expect(door.part("erase-now")).to_be_disabled()


async def test_a_store_is_followed_with_one_tap(page: Page) -> None:
    asked: list[str] = []

    async def follow(route: Route, request: Request) -> None:
        asked.append(request.method)
        follows = request.method == "PUT"
        await route.fulfill(json={"follows": follows, "followers": 1_200 + follows})

    await page.route("**/stores/flowers/following", follow)
    door = await enter(page)
    button = door.part("follow")
    await expect(button).to_have_text("Follow 1.2k")
    door.tell(ROOM | {"followers_only": True, "version": 2})
    await expect(door.part("house")).to_contain_text("Only followers")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    door.tell({"type": "followed", "account": YOU["id"], "follows": False, "offset": 4})
    await expect(button).to_have_text("Follow 1.2k")
    await button.click()
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    assert [one for one in asked if one != "GET"] == ["PUT", "PUT", "DELETE"]


async def test_a_viewer_reports_a_message_and_nothing_else(page: Page) -> None:
    door = await enter(page)
    door.tell(OTHER, OTHER | {"id": "m3", "from": YOU})
    await expect(door.part("said")).to_have_count(3)
    await door.part("said").nth(2).click()
    await expect(door.part("deed-sheet")).to_be_hidden()
    await door.part("said").nth(1).click()
    await expect(page.locator("#deeds button")).to_have_count(1)
    await door.part("deed-report").click()
    await expect(door.part("deed-done")).to_contain_text("Reported")
    assert door.posted == [("report", {"message": "m2"})]


async def test_a_moderator_acts_against_viewers_but_not_against_the_seller(page: Page) -> None:
    door = await enter(page, YOU | {"moderator": True})
    door.tell(OTHER, OTHER | {"id": "m3", "from": YOU | {"id": "a6", "moderator": True}})
    for line, deeds in ((0, ["pin"]), (2, ["pin"])):
        await door.part("said").nth(line).click()
        await expect(page.locator("#deeds button")).to_have_count(len(deeds))
        await page.keyboard.press("Escape")
    await page.locator("[data-test=talk]").focus()
    for key in ("ArrowUp", "ArrowUp", "Enter"):
        await page.keyboard.press(key)
    await door.part("deed-mute_10").click()
    await expect(door.part("deed-done")).to_contain_text("Troll is muted for 10 minutes")
    assert door.posted == [("sanction", {"account": "a7", "kind": "mute", "seconds": 600})]
