"""GStreamer's webrtcbin and Kkot: in both directions, with either codec."""

import asyncio
from typing import Final

import pytest

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.picture import expect_picture
from tests.interop import pages
from tests.interop.conftest import Open
from tests.interop.foreign import Peer
from tests.interop.show import Show

SECONDS: Final = 3
FRAMES_PER_S: Final = 30


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_webrtcbin_publishes_and_watches(
    codec: str, show: Show, gstreamer: Peer, visit: Visit
) -> None:
    async with gstreamer(role="publish", url=show.whip, key=show.key, codec=codec) as publisher:
        async with gstreamer(role="watch", url=show.whep) as viewer:
            page = await visit(show.watch, "ko-KR")
            await people.sees(page)
            await expect_picture(page, FRAMES_PER_S, SECONDS)
            await viewer.expect(video=60, audio=100)
            assert await viewer.end() == 200
        assert await publisher.end() == 200


async def test_firefox_watches_webrtcbin(show: Show, gstreamer: Peer, open_tab: Open) -> None:
    async with gstreamer(role="publish", url=show.whip, key=show.key, codec="VP8"):
        tab = await open_tab(show.watch)
        await pages.sees(tab)
        await expect_picture(tab, FRAMES_PER_S, SECONDS)


async def test_one_takes_over_from_the_other_and_both_go_on_watching(
    show: Show, gstreamer: Peer, libdatachannel: Peer
) -> None:
    async with (
        gstreamer(role="publish", url=show.whip, key=show.key, codec="H264") as publisher,
        gstreamer(role="watch", url=show.whep) as decoding,
        libdatachannel(role="watch", url=show.whep) as counting,
    ):
        viewers = (decoding, counting)
        before = await asyncio.gather(*(viewer.expect(30, 50) for viewer in viewers))
        await publisher.end()
        async with libdatachannel(role="publish", url=show.whip, key=show.key):
            for viewer, told in zip(viewers, before, strict=True):
                await viewer.expect(told["video"]["frames"] + 60, told["audio"]["frames"] + 100)
