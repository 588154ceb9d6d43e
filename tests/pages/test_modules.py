"""The modules in a real browser: the wire format, the shelf, and every page with its data."""

import asyncio
from typing import Any

import msgpack
from playwright.async_api import Page, Request, Route, WebSocketRoute, expect

from chat.core.commands import VISITOR_CHARS
from live.pages.statics import static_url
from tests.pages.canned import BASE, PRODUCT, SHOW, WELCOME, stock


async def _decoded(page: Page, values: list[bytes]) -> list[Any]:
    found: list[Any] = await page.evaluate(
        """async ([url, values]) => {
            const { decode } = await import(url);
            return values.map((value) => {
                const bytes = Uint8Array.from(value);
                try { return ["value", decode(bytes)]; }
                catch (error) { return [error.constructor.name]; }
            });
        }""",
        [static_url("js/msgpack.js"), [list(value) for value in values]],
    )
    return found


VALUES: list[Any] = [
    *(None, True, False, 0, 127, 128, 255, 256, 65535, 65536, 2**32, 2**53 - 1),
    *(-1, -32, -33, -128, -129, -32769, -(2**31) - 1, 1.5, -0.25),
    *("", "꽃", "a" * 31, "b" * 32, "c" * 300, "d" * 70_000),
    *([], list(range(20)), {}, {"a": [1, {"b": None}]}, {f"k{i}": i for i in range(40)}),
    [WELCOME],
]


async def test_frames_are_read_as_python_wrote_them(page: Page) -> None:
    await page.goto(f"{BASE}/")
    found = await _decoded(page, [msgpack.packb(value) for value in VALUES])
    assert found == [["value", value] for value in VALUES]


async def test_hostile_frames_are_refused_at_once(page: Page) -> None:
    await page.goto(f"{BASE}/")
    whole = msgpack.packb([WELCOME])
    hostile = [
        *(whole[:length] for length in range(0, len(whole), 7)),
        whole + b"\x00",
        b"\xdd\xff\xff\xff\xff",  # an array of four thousand million
        b"\xdf\xff\xff\xff\xff",  # a map of as many
        b"\xdb\xff\xff\xff\xff",  # a text of as many
        b"\x91" * 40 + b"\xc0",  # too deep
        b"\x81\x01\x02",  # a key that is a number
        b"\xa2\xc3\x28",  # not UTF-8
        b"\xcf" + b"\xff" * 8,  # an integer no double can tell
        b"\xc1",
        b"\xd4\x01\x00",  # an extension
    ]
    assert await _decoded(page, hostile) == [["MessagePackError"]] * len(hostile)
    prototype = await _decoded(page, [msgpack.packb({"__proto__": {"admin": True}})])
    assert prototype[0][0] == "value"
    assert await page.evaluate("() => ({}).admin === undefined")


async def test_messages_are_written_as_python_reads_them(page: Page) -> None:
    await page.goto(f"{BASE}/")
    written = await page.evaluate(
        """async ([url, values]) => {
            const { encode } = await import(url);
            return values.map((value) => [...encode(value)]);
        }""",
        [static_url("js/msgpack.js"), VALUES],
    )
    assert [msgpack.unpackb(bytes(each)) for each in written] == VALUES


async def test_an_older_event_never_overwrites_a_newer_one(page: Page) -> None:
    await page.goto(f"{BASE}/")
    seen = await page.evaluate(
        """async ([url, product]) => {
            const { Shelf, availability } = await import(url);
            const shelf = new Shelf();
            shelf.replace([product]);
            const apply = (type, version, facts) =>
                shelf.apply({ type, product: "p1", version, ...facts });
            const states = [];
            apply("stock", 5, { free: 0, held: 2, skus: [{ id: "p1", free: 0, held: 2 }] });
            states.push(availability(shelf.get("p1").skus[0]));
            states.push(availability(shelf.get("p1")));
            apply("stock", 4, { free: 1, held: 1, skus: [] });
            states.push(availability(shelf.get("p1")));
            apply("price", 4, { price_minor: 9, currency: "KRW" });
            states.push(shelf.get("p1").price_minor);
            shelf.apply({ type: "product", product: { ...product, version: 3 } });
            states.push(shelf.get("p1").price_minor);
            apply("sold_out", 6);
            states.push(availability(shelf.get("p1")));
            return [...states, apply("stock", 9, { product: "nobody", free: 1, held: 0 })];
        }""",
        [static_url("js/shelf.js"), PRODUCT],
    )
    assert seen == ["busy", "busy", "busy", 9, 9, "sold_out", None]


async def test_a_deal_moves_by_the_servers_clock_alone(page: Page) -> None:
    """The page makes the same of a deal as the ledger: state, price, and whether it is sold."""
    drop: dict[str, Any] = {
        "id": "d1",
        "product": "p1",
        "kind": "flash",
        "state": "announced",
        "price_minor": None,
        "percent_off": 33,
        "skus": [],
        "units": 2,
        "taken": 0,
        "shuts": True,
        "starts_at_ms": 2_000,
        "ends_at_ms": 3_000,
        "version": 2,
    }
    await page.goto(f"{BASE}/")
    seen = await page.evaluate(
        """async ([url, product, drop]) => {
            const { Deals } = await import(url);
            const deals = new Deals({ moved: () => {}, ticked: () => {} });
            const seen = [];
            const at = (now_ms, changes = {}) => {
                deals.ahead_ms = -Infinity;
                drop.version += 1;
                deals.apply({ deal: { ...drop, ...changes }, now_ms });
                const { price_minor, was_minor, shut, deal } = deals.priced(product);
                seen.push([deal?.state, price_minor, was_minor, shut]);
            };
            at(1_000);
            at(2_000);
            at(2_000, { taken: 2 });
            at(4_000);
            at(4_000, { shuts: false, state: "ended" });
            at(2_000, { percent_off: null, price_minor: 99_999 });
            return [...seen, deals.apply({ deal: { ...drop, version: 1 }, now_ms: 0 })];
        }""",
        [static_url("js/deals.js"), PRODUCT, drop],
    )
    assert seen == [
        ["announced", 32_000, None, False],
        ["running", 21_440, 32_000, False],
        ["running", 32_000, None, True],
        ["ended", 32_000, None, True],
        [None, 32_000, None, None],
        ["running", 32_000, None, False],
        False,
    ]


async def test_home_shows_what_is_live_as_text(page: Page) -> None:
    await page.goto(f"{BASE}/")
    card = page.locator("[data-test=live-shows] [data-test=show]")
    await card.wait_for()
    assert "Morning <b>flowers</b>" in await card.inner_text()
    assert await page.locator("[data-test=next-shows] li").count() == 1


async def test_a_store_shows_its_shelf(page: Page) -> None:
    await page.goto(f"{BASE}/stores/flowers")
    await page.locator("#products [data-product=p1]").wait_for()
    assert await page.inner_text("[data-test=store-title]") == "꽃가게"
    assert "2 left" in await page.inner_text("#products")


async def test_an_order_asks_a_stranger_to_say_who_they_are(page: Page) -> None:
    await page.goto(f"{BASE}/orders/nothing")
    await expect(page.locator("[data-test=order-state]")).to_have_text("No such order")
    assert await page.locator("[data-test=alert]").is_visible()


async def test_the_console_opens_with_its_door(page: Page) -> None:
    await page.goto(f"{BASE}/sell")
    await page.click("[data-test=sign-up]")
    assert await page.locator("[data-test=name]").is_visible()
    await page.click("[data-test=submit]")
    assert "e-mail" in await page.inner_text(".account-form [role=alert]")
    assert await page.evaluate("document.activeElement.name") == "email"


async def _room(page: Page, frames: list[list[dict[str, Any]]]) -> list[Any]:
    heard: list[Any] = []

    def serve(socket: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            heard.append(msgpack.unpackb(message))
            if heard[-1]["type"] == "hello":
                for frame in frames:
                    socket.send(msgpack.packb(frame))

        socket.on_message(receive)

    await page.route_web_socket("**/shows/s1/events", serve)
    await page.goto(f"{BASE}/shows/s1/watch")
    return heard


async def test_the_room_fills_the_watch_page(page: Page) -> None:
    await page.emulate_media(reduced_motion="no-preference")  # petals fly for who likes motion
    stale = stock(free=9, held=0, version=2)
    heard = await _room(
        page, [[WELCOME], [stock(1, 1, 4)], [stale, {"type": "present", "count": 1234}]]
    )
    await expect(page.locator("[data-test=viewers]")).to_have_text("1.2k")
    assert await page.get_attribute("[data-test=stock]", "data-free") == "1"
    assert "₩32,000" in await page.inner_text("[data-test=pinned]")
    assert "<img src=x>" in await page.inner_text("[data-test=talk]")
    await page.click("[data-test=heart]")
    await expect(page.locator("#petals .petal")).to_have_count(1)
    assert len(heard[0].pop("visitor")) == VISITOR_CHARS
    assert heard[0] == {"type": "hello"}


async def test_busy_and_sold_out_are_told_apart(page: Page) -> None:
    await _room(page, [[WELCOME], [stock(free=0, held=1, version=4)]])
    left = page.locator("[data-test=stock]")
    await expect(page.locator("[data-test=buy]")).to_be_disabled()
    assert "may come back" in await left.inner_text()
    await _room(page, [[WELCOME], [{"type": "sold_out", "product": "p1", "version": 5}]])
    await expect(left).to_have_text("Sold out")
    assert await page.inner_text("[data-test=buy]") == "Sold out"


async def test_a_show_that_ends_says_so_and_leads_on(page: Page) -> None:
    await _room(page, [[WELCOME], [{"type": "ended"}]])
    await page.locator("[data-test=curtain] a").first.wait_for()
    assert "ended" in await page.inner_text("[data-test=curtain]")


async def test_an_answer_older_than_the_room_does_not_put_an_ended_show_on_again(
    page: Page,
) -> None:
    ended = asyncio.Event()

    async def late(route: Route, request: Request) -> None:
        await ended.wait()
        await route.fulfill(json=SHOW)

    await page.route("**/shows/s1", late)
    await _room(page, [[WELCOME], [{"type": "ended"}]])
    curtain = page.locator("[data-test=curtain]")
    await expect(curtain).to_contain_text("ended")
    ended.set()
    await expect(page.locator("#show-title")).to_have_text(SHOW["title"])
    await expect(curtain).to_contain_text("ended")


async def test_a_page_that_comes_back_says_what_it_knows(page: Page) -> None:
    told = stock(free=1, held=1, version=4) | {"offset": 4}
    hellos: asyncio.Queue[tuple[Any, WebSocketRoute]] = asyncio.Queue()

    def serve(socket: WebSocketRoute) -> None:
        def receive(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            hellos.put_nowait((msgpack.unpackb(message), socket))
            socket.send(msgpack.packb([WELCOME, told]))

        socket.on_message(receive)

    await page.route_web_socket("**/shows/s1/events", serve)
    await page.goto(f"{BASE}/shows/s1/watch")
    async with asyncio.timeout(10):
        hello, socket = await hellos.get()
        visitor = hello.pop("visitor")
        assert hello == {"type": "hello"}
        await expect(page.locator("[data-test=stock]")).to_have_attribute("data-free", "1")
        await socket.close(code=4010)
        hello, _ = await hellos.get()
        since = {"epoch": WELCOME["epoch"], "offset": 4}
        assert hello == {"type": "hello", "visitor": visitor, "since": since}


async def test_a_browser_without_the_shows_codec_is_told_so_and_does_not_ask_again_and_again(
    page: Page,
) -> None:
    asked: list[str] = []
    on_air = asyncio.Event()

    async def refuse(route: Route, request: Request) -> None:
        asked.append(request.method)
        await on_air.wait()
        await route.fulfill(status=422, json={"code": "unacceptable_offer"})

    await page.route("**/whep/s1", refuse)
    await page.clock.install()
    await _room(page, [[WELCOME]])
    await page.locator("[data-test=pinned]").wait_for()
    on_air.set()
    curtain = page.locator("[data-test=curtain]")
    await expect(curtain).to_contain_text("This browser cannot play this picture")
    assert await page.is_enabled("[data-test=say]")
    await page.clock.fast_forward(40_000)
    assert asked == ["POST"]
    async with page.expect_request("**/whep/s1"):
        await page.clock.fast_forward(40_000)


async def test_a_browser_without_the_shows_codec_asks_again_when_the_seller_is_back(
    page: Page,
) -> None:
    sockets: list[WebSocketRoute] = []
    curtain = page.locator("[data-test=curtain]")

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda _: socket.send(msgpack.packb([WELCOME])))

    async def refuse(route: Route, request: Request) -> None:
        await route.fulfill(status=422, json={"code": "unacceptable_offer"})

    await page.route("**/whep/s1", refuse)
    await page.route_web_socket("**/shows/s1/events", serve)
    await page.goto(f"{BASE}/shows/s1/watch")
    await expect(curtain).to_contain_text("This browser cannot play this picture")
    sockets[-1].send(msgpack.packb([{"type": "on_air", "on_air": False}]))
    await expect(curtain).not_to_contain_text("cannot play")
    async with page.expect_request("**/whep/s1", timeout=10_000):
        sockets[-1].send(msgpack.packb([{"type": "on_air", "on_air": True}]))
    await expect(curtain).to_contain_text("This browser cannot play this picture")


async def test_a_room_with_too_much_talk_says_how_much_is_shown(page: Page) -> None:
    await _room(page, [[WELCOME], [{"type": "thinned", "said": 400, "shown": 100}]])
    await expect(page.locator("#thinned")).to_have_text(
        "Showing 25% of the chat: too many at once."
    )


async def test_saying_something_asks_a_passer_by_to_sign_in(page: Page) -> None:
    await _room(page, [[WELCOME]])
    await page.fill("[data-test=say]", "hello")
    await page.press("[data-test=say]", "Enter")
    await page.locator("#account-dialog[open] [data-test=email]").wait_for()
    await page.keyboard.press("Escape")
    assert await page.input_value("[data-test=say]") == "hello"


async def test_frames_wait_only_where_packets_are_repeated(page: Page) -> None:
    await page.goto(f"{BASE}/")
    waits = await page.evaluate(
        """async (url) => {
            const { patience } = await import(url);
            const networks = [[60, 0], [60, 2], [60, 3], [0, 50], [10, 5], [800, 5]];
            return networks.map((network) => patience(...network));
        }""",
        static_url("js/patience.js"),
    )
    assert waits == [None, None, 195, 135, 145, 400]
