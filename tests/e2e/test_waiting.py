"""Two wait for the last one: who came first is offered it, declines, and the next one buys it."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving


async def wait_in_line(page: Page, place: str) -> None:
    """Wait for the pinned product, and see the place in its line."""
    card = part(page, "pinned")
    await card.locator("[data-test=wait-join]").click()
    await expect(card.locator("[data-test=wait-place]")).to_contain_text(place)


async def test_the_last_one_goes_down_the_line(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=1)
        await people.pin(seller)
        holder, first, second = await asyncio.gather(
            visit(watch, "en-US"), visit(watch, "ko-KR"), visit(watch, "en-US")
        )
        await people.join(holder, "Mina")
        await people.join(first, "Haru")
        await people.join(second, "Bom")
        await people.press(holder, "buy")
        await expect(part(holder, "hold")).to_be_visible()
        await wait_in_line(first, "1번째")
        await wait_in_line(second, "number 2")

        await people.press(holder, "release")
        await expect(part(first, "offer-note")).to_contain_text("차례가 왔어요. Peony")
        await expect(part(first, "offer-clock")).to_contain_text("1:")
        await expect(part(second, "offer-note")).to_be_hidden()
        await expect(part(holder, "buy")).to_be_disabled()

        await people.press(first, "offer-decline")
        await expect(part(first, "offer-note")).to_be_hidden()
        await expect(part(second, "offer-note")).to_contain_text("Your turn: Peony")
        await people.press(second, "offer-take")
        await expect(part(second, "hold")).to_be_visible()
        await people.pay(second)
