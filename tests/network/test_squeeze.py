"""400 kbit/s all of a sudden: a viewer drops to a layer that fits and climbs back; a publisher
sends less and climbs back."""

from dataclasses import replace
from typing import Final

from playwright.async_api import Browser

from tests.network.camera import Camera, camera
from tests.network.conftest import House
from tests.network.host import on_air
from tests.network.screen import screen
from tests.network.stairs import STEPS, Stairs
from tests.network.way import CLEAN, network

NARROW_BPS: Final = 400_000
NARROW: Final = replace(CLEAN, bandwidth_bps=NARROW_BPS, queue_s=0.3)
TOP: Final = STEPS[-1].height
FITTING: Final = STEPS[0].height
LOOK_S: Final = 3
SQUEEZED_S: Final = 10
ARRIVE_WITHIN_S: Final = 30
DROP_WITHIN_MS: Final = 3_000
FITTING_SHARE: Final = 0.6
"""Of the frames after the drop; the rest are tries to climb that the network refused."""
CLIMB_WITHIN_S: Final = 10

ADAPT_S: Final = 4
GAP_MOST_MS: Final = 2_000
TRIES: Final = 20


async def test_viewer_gets_a_layer_that_fits_and_climbs_back(
    house: House, browser: Browser
) -> None:
    url, show = house.server.url, house.show
    async with (
        on_air(house.http, show, house.key, Stairs),
        network(house.server.media_port, seed=7) as way,
        screen(browser, url, show, way) as viewer,
    ):
        await viewer.reaches(TOP, ARRIVE_WITHIN_S)
        clean = await viewer.look(LOOK_S)
        await way.change(down=NARROW)
        narrow = await viewer.look(SQUEEZED_S)
        dropped = [frame.at for frame in narrow.frames if frame.height <= FITTING]
        assert dropped
        assert dropped[0] - narrow.began <= DROP_WITHIN_MS
        assert narrow.rate >= clean.rate / 2
        assert narrow.since(dropped[0]).share(FITTING) >= FITTING_SHARE
        await way.change()
        await viewer.reaches(TOP, CLIMB_WITHIN_S)


async def test_publisher_sends_less_and_climbs_back(house: House, browser: Browser) -> None:
    url, show = house.server.url, house.show
    async with (
        network(house.server.media_port, seed=8) as way,
        camera(browser, url, show, house.key, way) as seller,
        screen(browser, url, show) as viewer,
    ):
        clean = await _until(seller, at_least=2 * NARROW_BPS)
        await way.change(up=NARROW)
        await viewer.look(ADAPT_S)
        seen = await viewer.look(SQUEEZED_S - ADAPT_S)
        squeezed = await seller.bitrate(LOOK_S)
        assert squeezed < 1.1 * NARROW_BPS < clean
        assert seen.longest_gap_ms < GAP_MOST_MS
        await way.change()
        assert await _until(seller, at_least=2 * squeezed) > squeezed


async def _until(seller: Camera, at_least: float) -> float:
    """The publisher's bitrate once it has come to so many bits per second."""
    for _ in range(TRIES):
        if (bitrate := await seller.bitrate(LOOK_S)) >= at_least:
            return bitrate
    raise AssertionError(f"the publisher stays at {bitrate:.0f} bit/s")
