"""An auction through the pages: two bidders, a late bid that extends it, and a winner who pays."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving


async def open_auction(seller: Page, start: str, length_s: str) -> None:
    """The seller opens an auction of the only product."""
    await people.press(seller, "tab-show")
    await people.press(seller, "auction-new")
    await people.fill(seller, auction_start=start)
    await part(seller, "auction-length").select_option(length_s)
    await people.press(seller, "auction-open")
    await expect(part(seller, "auction")).to_be_visible()


async def costs(price: str, *pages: Page) -> None:
    """Everybody is shown this price."""
    await asyncio.gather(
        *(expect(part(page, "auction-price")).to_have_text(price) for page in pages)
    )


async def say_max(page: Page, amount: str) -> None:
    """Bid at most so much."""
    await people.press(page, "auction-other")
    await people.fill(page, auction_amount=amount)
    await part(page, "auction-max").check()
    await people.press(page, "auction-send")


async def in_the_last_seconds(page: Page) -> None:
    """The clock shows less than ten seconds."""
    await expect(part(page, "auction-clock")).to_have_text(re.compile("0:0[0-9]"))


async def length_ms(page: Page, watch: str) -> int:
    """How long the show's auction takes, from start to end."""
    answer = await page.request.get(watch.removesuffix("/watch") + "/auctions")
    auction = (await answer.json())["auctions"][0]
    return int(auction["ends_at_ms"] - auction["starts_at_ms"])


async def test_two_bidders_a_late_bid_and_the_winner_pays(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=2)
        mina, jun = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "en-US"))
        await asyncio.gather(people.join(mina, "Mina"), people.join(jun, "Jun"))
        await open_auction(seller, "10000", "15")
        await costs("₩10,000", mina, jun, seller)
        await people.press(mina, "auction-bid")
        await expect(part(mina, "auction-standing")).to_contain_text("1등")
        await expect(part(jun, "auction-leader")).to_contain_text("Mina")
        await expect(part(seller, "auction-cancel")).to_be_hidden()

        await say_max(jun, "30000")
        await costs("₩11,000", mina, jun, seller)
        await expect(part(jun, "auction-standing")).to_contain_text("You lead")
        await expect(part(jun, "auction-bid")).to_be_disabled()
        await expect(part(mina, "auction-standing")).to_contain_text("더 높게")

        await in_the_last_seconds(mina)
        before_ms = await length_ms(mina, watch)
        await people.press(mina, "auction-bid")
        await costs("₩13,000", mina, jun, seller)
        assert await length_ms(mina, watch) > before_ms, "a late bid gives ten seconds again"

        await expect(part(jun, "auction-standing")).to_contain_text("won", timeout=25_000)
        await expect(part(mina, "auction-standing")).to_contain_text("Jun")
        await expect(part(mina, "auction-pay")).to_be_hidden()
        await expect(part(seller, "auction-standing")).to_contain_text("낙찰")
        await people.press(jun, "auction-pay")
        await people.pay(jun)
        await people.press(seller, "tab-orders")
        await expect(part(seller, "order")).to_contain_text("₩13,000")
