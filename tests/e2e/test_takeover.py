"""A seller goes live on a second device: the show goes on from there, the first one rests."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from live.pages.language import STRINGS
from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.picture import media_ports, picture_reaches
from tests.e2e.server import serving, two_nodes

OFFERS = "() => window.peers.length"


async def test_the_older_console_stops_and_says_so(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        older = await visit(f"{server.url}/sell", "ko-KR")
        watch = await people.open_shop(older, "Peony", stock=1)
        await people.go_live(older)
        viewer = await visit(server.url + watch, "en-US")
        await people.sees(viewer)

        newer = await visit(f"{server.url}/sell", "en-US")
        await people.sign_in(newer, "Sora")
        await expect(part(newer, "watch-link")).to_be_visible()
        await people.go_live(newer)

        await expect(part(older, "alert")).to_have_text(STRINGS["ko"]["camera.taken_over"])
        await expect(older.locator("body")).to_have_attribute("data-publisher", "off")
        offers = await older.evaluate(OFFERS)
        await picture_reaches(newer, viewer, seconds=5)
        assert await older.evaluate(OFFERS) == offers
        await expect(newer.locator("body")).to_have_attribute("data-publisher", "live")


async def test_viewers_follow_the_newer_one_to_another_node(
    tmp_path: Path, migrated_url: str, redis_url: str, visit: Visit
) -> None:
    async with two_nodes(tmp_path, migrated_url, redis_url) as (here, there):
        older = await visit(f"{here.url}/sell", "ko-KR")
        watch = await people.open_shop(older, "Camellia", stock=2)
        await people.go_live(older)
        viewer = await visit(here.url + watch, "en-US")
        await people.sees(viewer)

        newer = await visit(f"{there.url}/sell", "en-US")
        await people.sign_in(newer, "Sora")
        await expect(part(newer, "watch-link")).to_be_visible()
        await people.go_live(newer)

        await expect(part(older, "alert")).to_have_text(STRINGS["ko"]["camera.taken_over"])
        async with asyncio.timeout(30):
            while there.media_port not in await media_ports(viewer):
                await asyncio.sleep(0)
        await people.sees(viewer)
        await picture_reaches(newer, viewer, seconds=3)
