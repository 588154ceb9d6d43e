"""A viewer in Chromium whose network loses packets: the picture stays smooth, and comes back.

What is demanded is measured against another viewer in the same browser at the same time, whose
network is clean: a busy machine is slow for both.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from playwright.async_api import Browser

from tests.network.conftest import House
from tests.network.host import on_air
from tests.network.screen import Screen, screen
from tests.network.seen import Seen
from tests.network.way import CLEAN, Network, network

LOOK_S: Final = 6
SETTLE_S: Final = 3
"""So long the player may take to find the right delay for a network that has changed."""
FREEZE_MS: Final = 500
OUTAGE_S: Final = 0.5
RECOVER_S: Final = 2.0
AGAIN_S: Final = 3
SHARE: Final = 0.9
"""Of the clean network's frame rate."""
SHOWN_SHARE: Final = 0.75
"""Of that, how much reaches the screen in its own time while packets are repeated: a frame that is
whole late, on a machine that is busy, is decoded and passed over. Without the player's patience
it is not two thirds."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What came to a screen in a stretch of time, and how many frames were decoded in it."""

    seen: Seen
    decoded: int

    def is_smooth_beside(self, clean: "Watched") -> bool:
        """Whether nearly as much was decoded, and most of it shown, as over the clean network."""
        shown = self.seen.rate >= SHOWN_SHARE * clean.seen.rate
        return shown and self.decoded >= SHARE * clean.decoded

    def freezes_beside(self, clean: "Watched") -> bool:
        """Whether it stood still for longer than may be, the machine's own pauses aside."""
        return self.seen.longest_gap_ms > FREEZE_MS + clean.seen.longest_gap_ms


async def test_losses_and_outages(house: House, browser: Browser) -> None:
    url, show = house.server.url, house.show
    async with (
        on_air(house.http, show, house.key),
        network(house.server.media_port, seed=5) as way,
        network(house.server.media_port, seed=6) as clean_way,
        screen(browser, url, show, way) as viewer,
        screen(browser, url, show, clean_way) as control,
    ):
        await viewer.look(SETTLE_S)
        little, clean = await _lossy(way, viewer, control, 0.02)
        assert not little.freezes_beside(clean)
        much, clean = await _lossy(way, viewer, control, 0.05)
        assert much.is_smooth_beside(clean)

        await way.change()
        for _ in range(2):
            await way.outage(OUTAGE_S)
            seen = await viewer.look(OUTAGE_S + RECOVER_S)
            assert seen.longest_gap_ms > OUTAGE_S * 1000 / 2, "there was no outage"
            again, clean = await _side_by_side(viewer, control, AGAIN_S)
            assert again.is_smooth_beside(clean)
            assert not again.freezes_beside(clean)


async def _lossy(
    way: Network, viewer: Screen, control: Screen, loss: float
) -> tuple[Watched, Watched]:
    """What the two see while so many of the first one's packets are lost, both ways."""
    path = replace(CLEAN, loss=loss)
    _, before = await way.counts()
    await way.change(up=path, down=path)
    await viewer.look(SETTLE_S)
    both = await _side_by_side(viewer, control, LOOK_S)
    _, after = await way.counts()
    assert (after.lost - before.lost) / (after.sent - before.sent) > loss / 2
    return both


async def _side_by_side(viewer: Screen, control: Screen, seconds: float) -> tuple[Watched, Watched]:
    """What both see in the same seconds; the clean one's is worth comparing with."""
    watched, clean = await asyncio.gather(_watch(viewer, seconds), _watch(control, seconds))
    assert clean.seen.rate > 20, "the machine is too slow to say anything about the network"
    return watched, clean


async def _watch(viewer: Screen, seconds: float) -> Watched:
    decoded = -(await viewer.inbound())["framesDecoded"]
    seen = await viewer.look(seconds)
    return Watched(seen, decoded + (await viewer.inbound())["framesDecoded"])
