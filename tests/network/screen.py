"""A viewer's page as a test holds it: the shop's player on a screen whose every frame is noted."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page

from live.pages.statics import static_url
from tests.network.seen import Frame, Seen
from tests.network.way import Network

SCRIPT: Final = Path(__file__).with_suffix(".js")
BLANK: Final = "/healthz"
"""A page of the server's own origin with nothing on it."""


class Screen:
    """One viewer."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def look(self, seconds: float) -> Seen:
        """What comes to the screen in so many seconds from now."""
        told = await self.page.evaluate("ms => look(ms)", seconds * 1000)
        frames = tuple(Frame(**frame) for frame in told["frames"])
        return Seen(told["began"], told["ended"], frames)

    async def inbound(self) -> dict[str, Any]:
        """What the browser counts of the picture that comes in."""
        told: dict[str, Any] | None = await self.page.evaluate("inbound()")
        return told or {}

    async def reaches(self, height: int, within_s: float) -> float:
        """Wait for a frame with so many lines, or fewer when negative; seconds it took."""
        began = time.monotonic()
        await self.page.wait_for_function(
            "height => frames.length && (height < 0 ? frames.at(-1).height <= -height"
            " : frames.at(-1).height >= height)",
            arg=height,
            timeout=within_s * 1000,
        )
        return time.monotonic() - began


@asynccontextmanager
async def screen(
    browser: Browser, url: str, show: str, network: Network | None = None, *, reads: bool = False
) -> AsyncIterator[Screen]:
    """A viewer of the show, over a network if one is given, who sees its picture already.

    `reads`: note what the strip on top of each frame says.
    """
    context = await browser.new_context(bypass_csp=True)
    try:
        await context.add_init_script(path=SCRIPT)
        page = await context.new_page()
        if network is not None:
            await network.lead(page)
        await page.goto(url + BLANK)
        what = {"module": static_url("js/whep.js"), "url": f"/whep/{show}", "reads": reads}
        await page.evaluate("what => watch(what)", what)
        await page.wait_for_function("frames.length > 0")
        yield Screen(page)
    finally:
        await context.close()


async def joins(browser: Browser, url: str, show: str, count: int) -> list[float]:
    """Join so many times from one page, each time until the first frame; ms from POST to frame."""
    context = await browser.new_context(bypass_csp=True)
    try:
        await context.add_init_script(path=SCRIPT)
        page = await context.new_page()
        await page.goto(url + BLANK)
        what = {"module": static_url("js/whep.js"), "url": f"/whep/{show}"}
        return [await page.evaluate("what => join(what)", what) for _ in range(count)]
    finally:
        await context.close()
