"""libdatachannel, put together as OBS Studio does it, and Kkot: in both directions.

It repeats lost packets under the media's own SSRC and does not act on PLI; as a viewer it takes no
RTX.
"""

from typing import Final

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.picture import expect_picture
from tests.interop.foreign import Peer
from tests.interop.media import FRAMES_PER_S
from tests.interop.show import Show

SECONDS: Final = 3
KINDS: Final = ("video", "audio")


async def test_libdatachannel_publishes_and_watches(
    show: Show, libdatachannel: Peer, visit: Visit
) -> None:
    async with libdatachannel(role="publish", url=show.whip, key=show.key) as publisher:
        async with libdatachannel(role="watch", url=show.whep) as viewer:
            page = await visit(show.watch, "ko-KR")
            await people.sees(page)
            await expect_picture(page, FRAMES_PER_S, SECONDS)
            told = await viewer.expect(video=60, audio=100)
            assert await viewer.end() == 200
        assert await publisher.end() == 200
    for kind in KINDS:
        assert told[kind]["holes"] == 0
        assert len(told[kind]["ssrcs"]) == 1


async def test_a_viewer_stays_when_the_publisher_comes_back(
    show: Show, libdatachannel: Peer
) -> None:
    async with (
        libdatachannel(role="publish", url=show.whip, key=show.key) as publisher,
        libdatachannel(role="watch", url=show.whep) as viewer,
    ):
        before = await viewer.expect(video=30, audio=50)
        await publisher.end()
        async with libdatachannel(role="publish", url=show.whip, key=show.key):
            frames = {kind: before[kind]["frames"] for kind in KINDS}
            after = await viewer.expect(video=frames["video"] + 60, audio=frames["audio"] + 100)
    for kind in KINDS:
        assert after[kind]["ssrcs"] == before[kind]["ssrcs"]
        assert after[kind]["holes"] == 0
