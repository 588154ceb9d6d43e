"""The floor of what a browser shows: a page that is connected to itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from tests.network import camera, screen
from tests.network.screen import BLANK, Screen

SCRIPTS: Final = (camera.SCRIPT, screen.SCRIPT, Path(__file__).with_suffix(".js"))
WIDTH: Final = 640
HEIGHT: Final = 360


class Loop(Screen):
    """A page that films and may watch itself."""

    async def join(self) -> float:
        """Connect, see the first frame, part; ms it took."""
        took_ms: float = await self.page.evaluate("loop({ reads: false, stays: false })")
        return took_ms

    async def stay(self) -> None:
        """Connect for good; frames are noted from now on, with what their strip says."""
        await self.page.evaluate("loop({ reads: true, stays: true })")


@asynccontextmanager
async def loop(browser: Browser, url: str) -> AsyncIterator[Loop]:
    """Such a page of the server's origin; it films already."""
    context = await browser.new_context(bypass_csp=True, permissions=["microphone"])
    try:
        for script in SCRIPTS:
            await context.add_init_script(path=script)
        page = await context.new_page()
        await page.goto(url + BLANK)
        picture = {"width": WIDTH, "height": HEIGHT, "fps": camera.FRAMES_PER_S}
        await page.evaluate("picture => filmLoop(picture)", picture)
        yield Loop(page)
    finally:
        await context.close()
