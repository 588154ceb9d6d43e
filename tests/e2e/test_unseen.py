"""Who has the show behind another tab hears it, and nobody pays for a picture that is not seen."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.server import serving
from tests.e2e.tab import Tab, open_tab

WITHIN_S: Final = 20
SEEN_WITHIN_MS: Final = 1_000

COUNT: Final = """(async () => {
  const rows = [];
  for (const peer of window.peers) rows.push(...(await peer.getStats()).values());
  const of = (kind) => rows.filter((row) => row.type === "inbound-rtp" && row.kind === kind);
  const sum = (kind, name) => of(kind).reduce((sum, row) => sum + (row[name] ?? 0), 0);
  return { pictures: sum("video", "framesDecoded"), sounds: sum("audio", "packetsReceived"),
    packets: sum("video", "packetsReceived"), visibility: document.visibilityState };
})()"""

SEEN_AGAIN: Final = """(async () => {
  const peer = window.peers.at(-1);
  const decoded = async () => [...(await peer.getStats()).values()]
    .find((row) => row.type === "inbound-rtp" && row.kind === "video").framesDecoded;
  const [begun, before] = [performance.now(), await decoded()];
  while (await decoded() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  return performance.now() - begun;
})()"""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so."""
    async with asyncio.timeout(WITHIN_S):
        while not await holds():
            await asyncio.sleep(0)


async def viewer_of(seller: Page, show: str) -> dict[str, Any]:
    """What the seller is told of the only viewer."""
    told: dict[str, Any] = await seller.evaluate(
        "async (path) => (await fetch(path, { headers: { Accept: 'application/json' } })).json()",
        f"/shows/{show}/media",
    )
    assert told["audience"]["viewers"] == len(told["viewers"]) <= 1, told
    return told["viewers"][0] if told["viewers"] else {}


async def grows(tab: Tab, name: str, by: int) -> None:
    """A count of the page rises."""
    before = (await tab.evaluate(COUNT))[name]

    async def risen() -> bool:
        return bool((await tab.evaluate(COUNT))[name] >= before + by)

    await until(risen)


async def test_a_hidden_tab_gets_no_picture_until_it_is_seen(
    migrated_dir: Path, browser: Browser, visit: Visit
) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = await people.open_shop(seller, "Peony", stock=1)
        show = watch.split("/")[2]
        await people.go_live(seller)
        tab = await open_tab(browser, server.url + watch)
        await grows(tab, "pictures", 20)

        await tab.hide()

        async def paused() -> bool:
            return bool((await viewer_of(seller, show))["paused"])

        await until(paused)
        assert (await tab.evaluate(COUNT))["visibility"] == "hidden"
        await grows(tab, "sounds", 10)
        before = await tab.evaluate(COUNT)
        await grows(tab, "sounds", 100)
        after = await tab.evaluate(COUNT)
        assert after["packets"] == before["packets"]

        await tab.show()
        assert await tab.evaluate(SEEN_AGAIN) < SEEN_WITHIN_MS
        await grows(tab, "pictures", 20)
        assert not (await viewer_of(seller, show))["paused"]
        await tab.close()
