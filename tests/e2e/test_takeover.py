"""A seller goes live on a second device: the show goes on from there, the first one rests."""

from pathlib import Path

from playwright.async_api import expect

from live.pages.language import STRINGS
from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.picture import picture_reaches
from tests.e2e.server import serving

OFFERS = "() => window.peers.length"


async def test_the_older_console_stops_and_says_so(tmp_path: Path, visit: Visit) -> None:
    async with serving(tmp_path / "node") as server:
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
