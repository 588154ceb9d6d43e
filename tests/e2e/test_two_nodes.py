"""One show on two nodes that share the stores: whoever watches, talks or buys need not know."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.picture import media_ports, picture_reaches
from tests.e2e.server import two_nodes


async def test_a_buyer_on_another_node(
    tmp_path: Path, migrated_url: str, redis_url: str, visit: Visit
) -> None:
    async with two_nodes(tmp_path, migrated_url, redis_url) as (here, there):
        seller = await visit(f"{here.url}/sell", "ko-KR")
        watch = await people.open_shop(seller, "Camellia", stock=2)
        await people.go_live(seller)
        mina, jun = await asyncio.gather(
            visit(here.url + watch, "ko-KR"), visit(there.url + watch, "en-US")
        )
        await asyncio.gather(people.sees(mina), people.sees(jun))
        await picture_reaches(seller, mina, jun, seconds=3)
        assert await media_ports(jun) == {here.media_port}
        await asyncio.gather(people.join(mina, "Mina"), people.join(jun, "Jun"))
        await people.talk_together(seller, mina, jun)

        await people.pin(seller)
        await expect(part(jun, "stock")).to_have_attribute("data-free", "2")
        await people.press(jun, "buy")
        await expect(part(mina, "stock")).to_have_attribute("data-free", "1")
        await expect(part(mina, "stock")).to_have_attribute("data-held", "1")
        await people.pay(jun)
        await expect(part(mina, "stock")).to_have_attribute("data-held", "0")
        await expect(part(mina, "stock")).to_have_attribute("data-free", "1")
        await people.sees_order(seller, "Camellia", left=1)
        await mina.reload()
        await people.sees(mina)
        await expect(part(seller, "attendance")).to_have_text("최고 3명 · 방문 2명", timeout=15_000)
