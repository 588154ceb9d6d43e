"""What a viewer in Chromium sees of a network that loses packets, at a round trip of 60 ms."""

from dataclasses import replace
from typing import Final

from tests.bench.machine import two_cores
from tests.bench.report import Report, introduce
from tests.bench.server import make_show, running
from tests.e2e.browser import chromium
from tests.network.host import on_air
from tests.network.screen import screen
from tests.network.way import CLEAN, network

LOSSES: Final = (0.0, 0.02, 0.05, 0.1)
SETTLE_S: Final = 3.0
OUTAGES: Final = 3
OUTAGE_S: Final = 0.5
RECOVER_S: Final = 4.0
SEED: Final = 3


async def run(_viewers: int, seconds: float) -> None:
    """Measure and print."""
    shares = ", ".join(f"{loss:.0%}" for loss in LOSSES)
    introduce(
        "loss",
        f"a viewer in Chromium, {shares} of the packets lost at random both ways for {seconds:g} s "
        f"each, then {OUTAGES} outages of {OUTAGE_S:g} s; frames that came to the screen and the "
        "longest time without one. The floor: the same network without loss",
    )
    server_core, _ = two_cores()
    rates: dict[float, float] = {}
    more: dict[str, float] = {}
    async with running(server_core) as server, chromium() as browser:
        show, key = await make_show(server.http)
        url = str(server.http.base_url).rstrip("/")
        async with (
            on_air(server.http, show, key),
            network(server.media_port, SEED) as way,
            screen(browser, url, show, way) as viewer,
        ):
            for loss in LOSSES:
                path = replace(CLEAN, loss=loss)
                await way.change(up=path, down=path)
                await viewer.look(SETTLE_S)
                seen = await viewer.look(seconds)
                rates[loss] = seen.rate
                more[f"frames_per_s_at_{loss:.0%}"] = seen.rate
                more[f"longest_gap_ms_at_{loss:.0%}"] = seen.longest_gap_ms
            await way.change()
            await viewer.look(SETTLE_S)
            for number in range(1, OUTAGES + 1):
                await way.outage(OUTAGE_S)
                seen = await viewer.look(RECOVER_S)
                more[f"outage_{number}_gap_ms"] = seen.longest_gap_ms
    Report("loss", rates[0.05], "frames/s at 5 % loss", rates[0.0], more).print()
