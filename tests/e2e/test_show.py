"""A show from end to end, through the pages: go live, watch, chat, buy the last unit."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.people import (
    finger_on,
    go_live,
    has_hold,
    hears,
    join,
    open_shop,
    part,
    pay,
    pin,
    press,
    say,
    sees,
    tap,
)
from tests.e2e.picture import BLACK, look_at_camera, look_at_show
from tests.e2e.server import serving

SOLD_OUT = {"ko": "품절", "en": "Sold out"}


async def test_a_show(tmp_path: Path, visit: Visit) -> None:
    async with serving(tmp_path / "node") as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await open_shop(seller, "Peony", stock=1)
        await go_live(seller)
        mina, jun = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "en-US"))
        await asyncio.gather(sees(mina), sees(jun))
        await _the_picture_moves(seller, mina, jun)
        await asyncio.gather(join(mina, "Mina"), join(jun, "Jun"))
        await _everybody_talks(seller, mina, jun)
        await pin(seller)
        winner, other = await _both_press_buy(mina, jun)
        await pay(winner)
        await _it_is_sold(seller, other)


async def _the_picture_moves(seller: Page, *viewers: Page) -> None:
    camera, *seen = await asyncio.gather(look_at_camera(seller), *map(look_at_show, viewers))
    assert camera.rate > 10
    for look in seen:
        assert look.steady, look
        assert look.rate >= 0.75 * camera.rate, (camera, look)
        assert look.brightness > 2 * BLACK, look
        assert look.moving >= 8, look


async def _everybody_talks(seller: Page, *viewers: Page) -> None:
    await press(seller, "tab-talk")
    for page, text in zip(
        (seller, *viewers), ("어서 오세요!", "예뻐요 🌸", "Is it fragrant?"), strict=True
    ):
        await say(page, text)
        await asyncio.gather(*(hears(listener, text) for listener in (seller, *viewers)))


async def _both_press_buy(*viewers: Page) -> tuple[Page, Page]:
    """Who got the hold, and who did not."""
    for page in viewers:
        await expect(part(page, "stock")).to_have_attribute("data-free", "1")
        await finger_on(page, "buy")
    await asyncio.gather(*map(tap, viewers))
    holding = [page for page in viewers if await has_hold(page)]
    assert len(holding) == 1
    return holding[0], next(page for page in viewers if page not in holding)


async def _it_is_sold(seller: Page, other: Page) -> None:
    language = await other.locator("html").get_attribute("lang")
    assert language is not None
    await expect(part(other, "buy")).to_be_disabled()
    await expect(part(other, "buy")).to_have_text(SOLD_OUT[language])
    await press(seller, "tab-orders")
    await expect(part(seller, "order")).to_have_count(1)
    await expect(part(seller, "order")).to_contain_text("Peony")
    await expect(part(seller, "order")).to_have_attribute("data-state", "paid")
    await press(seller, "tab-products")
    await expect(part(seller, "row-stock")).to_have_attribute("data-free", "0")
