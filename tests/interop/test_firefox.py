"""Firefox and Kkot: on the pages, in both directions.

Debian's Firefox has no H.264 of its own, so these shows are VP8.
"""

import asyncio
from typing import Any, Final

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.picture import Page, picture_reaches
from tests.e2e.server import Server
from tests.interop import pages
from tests.interop.conftest import Open

SECONDS: Final = 4

WITHOUT_H264: Final = """
const all = RTCRtpSender.getCapabilities.bind(RTCRtpSender);
RTCRtpSender.getCapabilities = (kind) => {
  const found = all(kind);
  return { ...found, codecs: found.codecs.filter(({ mimeType }) => mimeType !== "video/H264") };
};
"""
"""A phone without H.264."""

STATS: Final = """
async (type) => {
  const rows = [];
  for (const peer of window.peers) rows.push(...(await peer.getStats()).values());
  const row = rows.find((row) => row.type === type && row.kind === "video");
  return { ...row, mimeType: rows.find(({ id }) => id === row?.codecId)?.mimeType };
}
"""
"""The statistics of one kind about the page's video, with the codec's name."""

ANSWER: Final = "() => window.peers.at(-1).remoteDescription.sdp"


async def stats(page: Page, kind: str) -> dict[str, Any]:
    """A page's statistics of one kind about its video."""
    found: dict[str, Any] = await page.evaluate(STATS, kind)
    return found


async def test_firefox_goes_live_from_the_console(
    server: Server, open_tab: Open, visit: Visit
) -> None:
    seller = await open_tab(f"{server.url}/sell")
    watch = server.url + await pages.open_show(seller, "firefox")
    await pages.go_live(seller)
    viewer, other = await asyncio.gather(visit(watch, "ko-KR"), open_tab(watch))
    await asyncio.gather(people.sees(viewer), pages.sees(other))
    await picture_reaches(seller, viewer, other, seconds=SECONDS)

    sent, heard = await stats(seller, "outbound-rtp"), await stats(seller, "remote-inbound-rtp")
    assert sent["mimeType"] == "video/VP8"
    assert heard["packetsReceived"] > 0
    assert heard["roundTripTimeMeasurements"] > 0
    agreed = (await seller.evaluate(ANSWER)).split("\r\n")
    assert {"a=rtcp-fb:120 nack", "a=rtcp-fb:120 nack pli", "a=rtcp-fb:120 transport-cc"} <= {
        *agreed
    }
    assert "a=fmtp:124 apt=120" in agreed


async def test_firefox_watches_chromium(server: Server, open_tab: Open, visit: Visit) -> None:
    seller = await visit(f"{server.url}/sell", "ko-KR")
    await seller.context.add_init_script(WITHOUT_H264)
    await seller.reload()
    watch = server.url + await people.open_shop(seller, "Peony", stock=1)
    await people.go_live(seller)
    viewer = await open_tab(watch)
    await pages.sees(viewer)
    await picture_reaches(seller, viewer, seconds=SECONDS)

    seen = await stats(viewer, "inbound-rtp")
    assert seen["mimeType"] == "video/VP8"
    assert seen["packetsLost"] == 0
    assert (await stats(viewer, "remote-outbound-rtp"))["packetsSent"] > 0
    agreed = (await viewer.evaluate(ANSWER)).split("\r\n")
    assert {"a=rtcp-fb:120 nack", "a=rtcp-fb:120 nack pli", "a=rtcp-fb:120 goog-remb"} <= {*agreed}
    assert "a=fmtp:124 apt=120" in agreed
