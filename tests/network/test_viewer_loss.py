"""A viewer in Chromium whose network loses packets: the picture stays smooth, and comes back.

What is demanded is measured against the same viewer's clean network: a
busy machine is slow for both.
"""

from dataclasses import replace
from typing import Final

from playwright.async_api import Browser

from tests.network.conftest import House
from tests.network.host import on_air
from tests.network.screen import Screen, screen
from tests.network.seen import Seen
from tests.network.way import CLEAN, Network, network

CLEAN_S: Final = 5
LOSSY_S: Final = 6
SETTLE_S: Final = 3
"""So long the player may take to find the right delay for a network that has changed."""
FREEZE_MS: Final = 500
OUTAGE_S: Final = 0.5
RECOVER_S: Final = 2.0
SHARE: Final = 0.9
"""Of the clean network's frame rate."""
SHOWN_SHARE: Final = 0.75
"""Of that, how much reaches the screen in its own time while packets are repeated: a frame that is
whole late, on a machine that is busy, is decoded and passed over. Without the player's patience
it is not two thirds."""


async def test_losses_and_outages(house: House, browser: Browser) -> None:
    url, show = house.server.url, house.show
    async with (
        on_air(house.http, show, house.key),
        network(house.server.media_port, seed=5) as way,
        screen(browser, url, show, way) as viewer,
    ):
        await viewer.look(SETTLE_S)
        clean = await viewer.look(CLEAN_S)
        assert clean.rate > 20, "the machine is too slow to say anything about the network"

        little, _ = await _lossy(way, viewer, 0.02)
        assert little.longest_gap_ms <= FREEZE_MS
        much, decoded = await _lossy(way, viewer, 0.05)
        assert decoded >= SHARE * clean.rate
        assert much.rate >= SHOWN_SHARE * clean.rate

        await way.change()
        for _ in range(2):
            await way.outage(OUTAGE_S)
            seen = await viewer.look(OUTAGE_S + RECOVER_S + CLEAN_S / 2)
            again = seen.since(seen.began + (OUTAGE_S + RECOVER_S) * 1000)
            assert seen.longest_gap_ms > OUTAGE_S * 1000 / 2, "there was no outage"
            assert seen.longest_gap_ms < (OUTAGE_S + RECOVER_S) * 1000
            assert again.rate >= SHARE * clean.rate
            assert again.longest_gap_ms <= FREEZE_MS


async def _lossy(way: Network, viewer: Screen, loss: float) -> tuple[Seen, float]:
    """What is seen, and how many frames a second are decoded, while so many packets are lost,
    both ways."""
    path = replace(CLEAN, loss=loss)
    _, before = await way.counts()
    await way.change(up=path, down=path)
    await viewer.look(SETTLE_S)
    decoded = -(await viewer.inbound())["framesDecoded"]
    seen = await viewer.look(LOSSY_S)
    decoded += (await viewer.inbound())["framesDecoded"]
    _, after = await way.counts()
    assert (after.lost - before.lost) / (after.sent - before.sent) > loss / 2
    return seen, decoded * 1000 / (seen.ended - seen.began)
