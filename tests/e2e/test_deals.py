"""A flash drop from its countdown to its end, and a code said in the chat, through the pages."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving
from tests.e2e.test_moderation import in_reach
from tests.e2e.test_questions import risen

FULL = "₩39,000"
HALF = "₩19,500"


async def make_drop(seller: Page) -> None:
    """Half the price after ten seconds, in five taps."""
    await part(seller, "deal-open").first.click()
    await risen(seller)
    await people.press(seller, "deal-off-50")
    await expect(part(seller, "deal-price")).to_contain_text(HALF)
    await people.press(seller, "deal-in-10")
    await in_reach(seller, "deal-make")
    await people.press(seller, "deal-make")
    await expect(part(seller, "deal-sheet")).to_be_hidden()


async def counts_down_and_runs(page: Page) -> None:
    """The product costs what it costs until the countdown is over; nobody tells the page so."""
    card = part(page, "pinned")
    await expect(card.locator("[data-test=deal]")).to_have_attribute("data-state", "announced")
    await expect(card.locator("[data-test=deal-clock]")).to_have_text("0:05")
    await expect(part(page, "price")).to_have_text(FULL)
    await expect(card.locator("[data-test=deal]")).to_have_attribute("data-state", "running")
    await expect(part(page, "price")).to_have_text(HALF)
    await expect(part(page, "was")).to_contain_text(FULL)
    await expect(card.locator("[data-test=deal-clock]")).to_contain_text("2:5")


async def test_a_flash_drop_and_a_code_in_the_chat(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=20)
        await people.fill(seller, product_title="Rose", product_price="5000", product_stock="9")
        await people.fill(seller, product_code="장미")
        await people.press(seller, "add-product")
        await expect(part(seller, "sku-code").filter(visible=True)).to_have_text("코드 장미")
        await people.go_live(seller)
        viewer, guest = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "en-US"))
        await people.join(viewer, "Mina")
        await people.pin(seller)
        await make_drop(seller)
        await asyncio.gather(counts_down_and_runs(viewer), counts_down_and_runs(guest))

        await people.press(viewer, "buy")
        await expect(part(viewer, "hold")).to_contain_text(HALF)
        for page in (viewer, guest):
            left = part(page, "pinned").locator("[data-test=deal-left]")
            await expect(left).to_contain_text("9")
        await people.press(viewer, "release")
        await expect(part(guest, "pinned").locator("[data-test=deal-left]")).to_contain_text("10")

        await people.press(seller, "tab-products")
        await part(seller, "deal-open").first.click()
        await expect(part(seller, "deal-state")).to_contain_text("진행 중")
        await people.press(seller, "deal-end")
        await expect(part(seller, "deal-make")).to_be_visible()
        await people.press(seller, "deal-close")
        for page in (viewer, guest):
            await expect(part(page, "price")).to_have_text(FULL)
            await expect(part(page, "pinned").locator("[data-test=deal]")).to_be_hidden()

        await people.say(viewer, "장미 2개")
        await people.hears(guest, "장미 2개")
        await expect(part(viewer, "code-note")).to_contain_text("Rose 2개를 담았어요")
        await expect(part(guest, "code-note")).to_be_hidden()
        await people.press(viewer, "code-pay")
        await expect(part(viewer, "hold")).to_contain_text("₩10,000")
        await expect(part(seller, "row-stock").last).to_have_attribute("data-free", "7")
