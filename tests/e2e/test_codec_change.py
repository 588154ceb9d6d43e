"""The seller comes back with another codec: viewers' pages join again at once, by themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.server import serving

DARK_MOST_MS: Final = 3_000
"""Without the server's word a page waits until consent and patience have run out: 9 s and more."""

KEY: Final = "async (path) => (await (await fetch(path, { method: 'POST' })).json()).key"
CODEC: Final = """async () => {
  const rows = [...(await window.peers.at(-1).getStats()).values()];
  const picture = rows.find((row) => row.type === "inbound-rtp" && row.kind === "video");
  return rows.find((row) => row.id === picture?.codecId)?.mimeType;
}"""
WATCH: Final = """() => {
  const video = document.querySelector("[data-test=video]");
  const joined = window.peers.length;
  let last = performance.now();
  const frame = (now) => {
    if (window.peers.length > joined) window.dark = now - last;
    else video.requestVideoFrameCallback(frame);
    last = now;
  };
  video.requestVideoFrameCallback(frame);
}"""


@asynccontextmanager
async def publishing(url: str, key: str, codec: str) -> AsyncIterator[None]:
    """A program publishes a green picture in this codec."""
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    video = peer.addTransceiver(VideoStreamTrack(), "sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    video.setCodecPreferences([one for one in codecs if one.mimeType in (codec, "video/rtx")])
    await peer.setLocalDescription(await peer.createOffer())
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/sdp"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, content=peer.localDescription.sdp, headers=headers)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    try:
        yield
    finally:
        await peer.close()


async def test_viewers_join_again_at_once(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = await people.open_shop(seller, "Peony", stock=1)
        show = watch.split("/")[2]
        key = await seller.evaluate(KEY, f"/shows/{show}/publish-key")
        whip = f"{server.url}/whip/{show}"
        async with publishing(whip, key, "video/H264"):
            viewer = await visit(server.url + watch, "en-US")
            await people.sees(viewer)
            assert await viewer.evaluate(CODEC) == "video/H264"
            await viewer.evaluate(WATCH)
            async with publishing(whip, key, "video/VP8"), asyncio.timeout(30):
                while await viewer.evaluate(CODEC) != "video/VP8":
                    await asyncio.sleep(0)
                while (dark_ms := await viewer.evaluate("window.dark")) is None:
                    await asyncio.sleep(0)
        assert dark_ms < DARK_MOST_MS
