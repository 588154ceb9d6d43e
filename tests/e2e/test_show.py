"""A show from end to end, through the pages: go live, watch, chat, buy the last unit."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.picture import picture_reaches
from tests.e2e.server import serving

SOLD_OUT = {"ko": "품절", "en": "Sold out"}


async def test_two_viewers_want_the_last_one(tmp_path: Path, visit: Visit) -> None:
    async with serving(tmp_path / "node") as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=1)
        await people.go_live(seller)
        mina, jun = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "en-US"))
        await asyncio.gather(people.sees(mina), people.sees(jun))
        await picture_reaches(seller, mina, jun, seconds=10)
        await asyncio.gather(people.join(mina, "Mina"), people.join(jun, "Jun"))
        await people.talk_together(seller, mina, jun)

        await people.pin(seller)
        for page in (mina, jun):
            await expect(part(page, "stock")).to_have_attribute("data-free", "1")
            await people.finger_on(page, "buy")
        await asyncio.gather(people.tap(mina), people.tap(jun))
        winner = await people.holder(mina, jun)
        other = jun if winner is mina else mina
        await expect(part(other, "buy")).to_be_disabled()
        await expect(part(other, "hold")).to_be_hidden()

        await people.pay(winner)
        await expect(part(other, "buy")).to_be_disabled()
        language = await other.locator("html").get_attribute("lang")
        assert language is not None
        await expect(part(other, "buy")).to_have_text(SOLD_OUT[language])
        await people.sees_order(seller, "Peony", left=0)
