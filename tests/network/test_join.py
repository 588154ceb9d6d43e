"""What joining costs the publisher: nothing when key frames come by themselves, and next to nothing
when they come only if asked for."""

from typing import Final

from playwright.async_api import Browser

from tests.network.camera import HEIGHT, Encoding, camera
from tests.network.conftest import House
from tests.network.crowd import crowd
from tests.network.host import on_air
from tests.network.screen import screen

JOINS: Final = 5
GUESTS: Final = 300
WITHIN_S: Final = 5.0
KEY_FRAMES: Final = 3
ONE: Final = (Encoding("", 2, 300_000),)


async def test_browsers_join_without_asking_for_a_key_frame(house: House, browser: Browser) -> None:
    url, show = house.server.url, house.show
    async with on_air(house.http, show, house.key) as host:
        async with screen(browser, url, show):
            asked = host.asked
        for _ in range(JOINS):
            async with screen(browser, url, show) as viewer:
                assert await viewer.page.evaluate("frames.length") > 0
        assert host.asked == asked


async def test_crowd_costs_a_browser_hardly_a_key_frame(house: House, browser: Browser) -> None:
    url, show = house.server.url, house.show
    async with (
        camera(browser, url, show, house.key, layers=ONE) as seller,
        screen(browser, url, show) as viewer,
    ):
        await viewer.reaches(HEIGHT // 2, within_s=20)
        (before,) = await seller.outbound()
        guests = await crowd(house.http, show, GUESTS, WITHIN_S)
        (after,) = await seller.outbound()
    assert after["framesEncoded"] > before["framesEncoded"]
    assert after["keyFramesEncoded"] - before["keyFramesEncoded"] <= KEY_FRAMES
    assert all(guest.starts_at_key_frame for guest in guests)
