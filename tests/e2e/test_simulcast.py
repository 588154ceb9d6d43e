"""A seller's page sends three sizes, and each viewer gets the one its screen can show."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving

WITHIN_S = 30
STRONG = "Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 8 });"
SENT = """async () => {
  const rows = [];
  for (const peer of window.peers) rows.push(...(await peer.getStats()).values());
  return rows.filter((row) => row.type === "outbound-rtp" && row.kind === "video")
    .map((row) => [row.rid, row.frameHeight]);
}"""
FETCH = "async (path) => (await fetch(path, { headers: { Accept: 'application/json' } })).json()"
LINES = "() => document.querySelector('[data-test=video]').videoHeight"


async def media(seller: Page, show: str, wanted: Callable[[Any], Any]) -> Any:
    """The show's media once they are as wanted."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            told = await seller.evaluate(FETCH, f"/shows/{show}/media")
            if told["publisher"] and wanted(told):
                return told


async def shows(page: Page, lines: int) -> None:
    """The page's picture comes to have so many lines."""
    async with asyncio.timeout(WITHIN_S):
        while await page.evaluate(LINES) != lines:
            await asyncio.sleep(0)


def flowing(told: Any) -> set[str]:
    """The sizes that come."""
    layers = told["publisher"]["layers"]
    return {one["rid"] for one in layers if one["kind"] == "video" and one["bitrate_bps"] > 0}


async def test_three_sizes_reach_the_screens_they_fit(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        await seller.add_init_script(STRONG)
        await seller.reload()
        watch = await people.open_shop(seller, "Peony", stock=1)
        show = watch.split("/")[2]
        await part(seller, "bitrate").select_option("2500000")
        await people.go_live(seller)
        await media(seller, show, lambda told: flowing(told) == {"q", "h", "f"})
        assert sorted(await seller.evaluate(SENT)) == [["f", 720], ["h", 360], ["q", 180]]

        small, large = await asyncio.gather(
            visit(server.url + watch, "ko-KR"), visit(server.url + watch, "en-US")
        )
        await large.set_viewport_size({"width": 1280, "height": 800})
        await asyncio.gather(people.sees(small), people.sees(large))
        await shows(small, 360)
        await shows(large, 720)
        told = await media(seller, show, lambda told: len(told["viewers"]) == 2)
        assert told["audience"]["layers"] == {"h": 1, "f": 1}

        await part(seller, "bitrate").select_option("800000")
        await media(seller, show, lambda told: flowing(told) == {"q", "h"})
        await shows(large, 360)
