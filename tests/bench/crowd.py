"""How long those wait who all come at once, and what it costs a browser that publishes."""

from typing import Final

from tests.bench.machine import percentile, two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import make_show, running
from tests.e2e.browser import chromium
from tests.network.camera import Encoding, camera
from tests.network.crowd import crowd
from tests.network.screen import screen

GUESTS: Final = 300
WITHIN_S: Final = 5.0
ALONE: Final = 10
ALONE_WITHIN_S: Final = 5.0
LAYER: Final = (Encoding("", 1, 1_200_000),)


async def run(_viewers: int, _seconds: float) -> None:
    """Measure and print."""
    introduce(
        "crowd",
        f"{GUESTS} DTLS-SRTP viewers who join within {WITHIN_S:g} s and stay, while Chromium "
        "publishes 1.2 Mbit/s, with key frames only when asked; ms from the POST to the first "
        "packet of a key frame, and how many key frames it was asked for. The floor: "
        f"{ALONE} who come one by one",
    )
    server_core, _ = two_cores()
    async with running(server_core) as server, chromium() as browser:
        show, key = await make_show(server.http)
        url = str(server.http.base_url).rstrip("/")
        async with camera(browser, url, show, key, layers=LAYER) as seller:
            async with screen(browser, url, show):
                pass  # the show has a picture from here on
            alone = await crowd(server.http, show, ALONE, ALONE_WITHIN_S)
            (before,) = await seller.outbound()
            guests = await crowd(server.http, show, GUESTS, WITHIN_S)
            (after,) = await seller.outbound()
    waits_ms = [1e3 * guest.waited_s for guest in guests]
    Report(
        *("crowd", percentile(waits_ms, 0.5), "ms from POST to a key frame, p50"),
        percentile([1e3 * guest.waited_s for guest in alone], 0.5),
        {
            "p95_ms": percentile(waits_ms, 0.95),
            "most_ms": max(waits_ms),
            "started_at_key_frame": sum(guest.starts_at_key_frame for guest in guests),
            "key_frames": after["keyFramesEncoded"] - before["keyFramesEncoded"],
        },
        is_cost=True,
    ).print()
