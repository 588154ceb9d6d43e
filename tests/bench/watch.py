"""How soon a browser that joins sees something: from its WHEP POST to its first frame."""

from typing import Final

from tests.bench.machine import percentile, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import make_show, running
from tests.e2e.browser import chromium
from tests.network.host import on_air
from tests.network.loop import loop
from tests.network.screen import joins

JOINS: Final = 40
WARM_UP: Final = 3
"""The first ones load what the others find loaded."""
LOOPS: Final = 15


async def run(_viewers: int, _seconds: float) -> None:
    """Measure and print."""
    introduce(
        "watch",
        f"{JOINS} joins of Chromium, one after another, to a publisher of H.264 at 1.5 Mbit/s with "
        "key frames 2 s apart; ms from the POST until the first frame is handed to the compositor, "
        "and how often the publisher was asked for a key frame. The floor: a page that connects to "
        "itself",
    )
    server_core, _ = two_cores()
    async with running(server_core) as server, chromium() as browser:
        show, key = await make_show(server.http)
        url = str(server.http.base_url).rstrip("/")
        async with on_air(server.http, show, key) as host:
            await joins(browser, url, show, WARM_UP)
            asked = host.asked
            took_ms = await joins(browser, url, show, JOINS)
            asked = host.asked - asked
        async with loop(browser, url) as page:
            bare_ms = [await page.join() for _ in range(LOOPS)]
    Report(
        *("watch", percentile(took_ms, 0.5), "ms from POST to first frame, p50"),
        percentile(bare_ms, 0.5),
        {
            "p95_ms": percentile(took_ms, 0.95),
            "most_ms": max(took_ms),
            "floor_p95_ms": percentile(bare_ms, 0.95),
            "key_frames_asked_for": asked,
        },
        is_cost=True,
    ).print()
