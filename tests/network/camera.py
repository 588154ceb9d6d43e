"""A publisher's page as a test holds it: Chromium sending layers by rid, or one picture."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page

from live.pages.statics import static_url
from tests.network.screen import BLANK
from tests.network.way import Network

SCRIPT: Final = Path(__file__).with_suffix(".js")
FRAMES_PER_S: Final = 30
WIDTH: Final = 960
HEIGHT: Final = 540
"""The least of which Chromium makes three layers."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One layer: its rid, none if it is the only one; by how much it is smaller than the picture;
    its most bits per second."""

    rid: str
    smaller: int
    bitrate: int

    @property
    def height(self) -> int:
        """Its lines."""
        return HEIGHT // self.smaller


LAYERS: Final = (Encoding("q", 4, 120_000), Encoding("h", 2, 450_000), Encoding("f", 1, 1_200_000))


class Camera:
    """One publisher."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def outbound(self) -> list[dict[str, Any]]:
        """What the browser counts of each layer that goes out."""
        rows: list[dict[str, Any]] = await self.page.evaluate("outbound()")
        return rows

    async def bitrate(self, seconds: float) -> float:
        """Bits per second of picture that leave in so many seconds from now."""
        before, after = await self.page.evaluate(
            """async (ms) => {
                const sum = async () => {
                    const rows = await outbound();
                    const sent = rows.map((row) => row.bytesSent);
                    return [rows[0].timestamp, sent.reduce((a, b) => a + b, 0)];
                };
                const before = await sum();
                await new Promise((resolve) => setTimeout(resolve, ms));
                return [before, await sum()];
            }""",
            seconds * 1000,
        )
        bits: float = (after[1] - before[1]) * 8
        return bits * 1000 / float(after[0] - before[0])


@asynccontextmanager
async def camera(
    browser: Browser,
    url: str,
    show: str,
    key: str,
    network: Network | None = None,
    layers: Sequence[Encoding] = LAYERS,
) -> AsyncIterator[Camera]:
    """A browser that publishes to the show, over a network if one is given."""
    context = await browser.new_context(bypass_csp=True, permissions=["microphone"])
    try:
        await context.add_init_script(path=SCRIPT)
        page = await context.new_page()
        if network is not None:
            await network.lead(page)
        await page.goto(url + BLANK)
        encodings = [
            ({"rid": one.rid} if one.rid else {})
            | {"scaleResolutionDownBy": one.smaller, "maxBitrate": one.bitrate}
            for one in layers
        ]
        picture = {"width": WIDTH, "height": HEIGHT, "fps": FRAMES_PER_S, "layers": encodings}
        door = {"module": static_url("js/peer.js"), "url": f"/whip/{show}", "key": key}
        await page.evaluate("what => publish(what)", door | picture)
        await page.wait_for_function("pc.connectionState === 'connected'")
        yield Camera(page)
    finally:
        await context.close()
