"""Glass to glass: how old a picture is when it is seen, by the wall clock that is in it."""

from typing import Final

from tests.bench.machine import percentile, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import make_show, running
from tests.e2e.browser import chromium
from tests.network.camera import FRAMES_PER_S, Encoding, camera
from tests.network.host import on_air
from tests.network.loop import loop
from tests.network.screen import screen

SETTLE_S: Final = 3.0
"""So long the browsers take to find their pace."""
LAYER: Final = (Encoding("", 1, 1_200_000),)


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    introduce(
        "glass",
        f"a wall clock in the picture, drawn by Chromium into a canvas at {FRAMES_PER_S} frames a "
        f"second, published, and read back from the viewer's canvas, for {seconds:g} s; and the "
        "way from the server to the screen alone, with a publisher that tells when a frame has "
        "left it. The floor: a page that is connected to itself",
    )
    server_core, _ = two_cores()
    async with running(server_core) as server, chromium() as browser:
        url = str(server.http.base_url).rstrip("/")
        async with loop(browser, url) as page:
            await page.stay()
            await page.look(SETTLE_S)
            bare_ms = (await page.look(seconds)).ages_ms
        show, key = await make_show(server.http)
        async with (
            camera(browser, url, show, key, layers=LAYER),
            screen(browser, url, show, reads=True) as viewer,
        ):
            await viewer.look(SETTLE_S)
            ages_ms = (await viewer.look(seconds)).ages_ms
    async with running(server_core) as server, chromium() as browser:
        url = str(server.http.base_url).rstrip("/")
        show, key = await make_show(server.http)
        async with (
            on_air(server.http, show, key) as host,
            screen(browser, url, show, reads=True) as viewer,
        ):
            await viewer.look(SETTLE_S)
            shown_ms = host.since_left(await viewer.look(seconds))
    Report(
        *("glass", percentile(ages_ms, 0.5), "ms from glass to glass, p50"),
        percentile(bare_ms, 0.5),
        {
            "p95_ms": percentile(ages_ms, 0.95),
            "floor_p95_ms": percentile(bare_ms, 0.95),
            "server_to_screen_p50_ms": percentile(shown_ms, 0.5),
            "server_to_screen_p95_ms": percentile(shown_ms, 0.95),
        },
        is_cost=True,
    ).print()
