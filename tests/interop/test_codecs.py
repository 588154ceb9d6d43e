"""Chromium publishes every codec it has in layers, with redundant audio; Chromium sees it."""

import asyncio
from typing import Final

import pytest
from playwright.async_api import Page

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.server import Server
from tests.interop.show import Show

FRAMES: Final = 20
WITHIN_S: Final = 30

PUBLISH: Final = """async ({ url, key, codec }) => {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true, video: { width: 1280, height: 720 },
  });
  const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  const [camera, microphone] = ["video", "audio"].map((kind) => (
    stream.getTracks().find((track) => track.kind === kind)));
  peer.addTransceiver(microphone, { direction: "sendonly", streams: [stream] });
  const video = peer.addTransceiver(camera, {
    direction: "sendonly",
    streams: [stream],
    sendEncodings: [["l", 4], ["m", 2], ["h", 1]].map(([rid, scaleResolutionDownBy]) => (
      { rid, scaleResolutionDownBy, scalabilityMode: "L1T1" })),
  });
  video.setCodecPreferences(RTCRtpSender.getCapabilities("video").codecs
    .filter(({ mimeType }) => [`video/${codec}`, "video/rtx"].includes(mimeType)));
  await peer.setLocalDescription();
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/sdp" };
  const body = peer.localDescription.sdp;
  const response = await fetch(url, { method: "POST", headers, body });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(sdp);
  await peer.setRemoteDescription({ type: "answer", sdp });
  return peer.getSenders()
    .map((sender) => sender.getParameters().codecs.map(({ mimeType }) => mimeType));
}"""

SENT: Final = """async ([codec, frames]) => {
  const rows = [...(await window.peers.at(-1).getStats()).values()];
  const named = (row) => rows.find(({ id }) => id === row.codecId)?.mimeType === `video/${codec}`;
  const layers = rows.filter((row) => row.type === "outbound-rtp" && row.kind === "video");
  const flowing = layers.filter((row) => named(row) && row.framesSent >= frames);
  // The highest begins when the browser's estimate has risen, which is not looked at here.
  return layers.length === 3 && ["l", "m"].every((rid) => flowing.some((row) => row.rid === rid));
}"""

SEEN: Final = """async ([codec, frames]) => {
  const rows = [...(await window.peers.at(-1).getStats()).values()];
  const heard = rows.find((row) => row.type === "inbound-rtp" && row.kind === "audio");
  const seen = rows.find((row) => row.type === "inbound-rtp" && row.kind === "video");
  const named = rows.find(({ id }) => id === seen?.codecId)?.mimeType;
  return named === `video/${codec}` && seen.framesDecoded >= frames && heard?.packetsReceived > 0;
}"""


@pytest.mark.parametrize("codec", ["H264", "VP8", "VP9", "AV1"])
async def test_layers_and_redundancy_of_a_browser(
    codec: str, server: Server, show: Show, visit: Visit
) -> None:
    publisher = await visit(f"{server.url}/healthz", "en-US")
    asked = {"url": show.whip, "key": show.key, "codec": codec}
    audio, video = await publisher.evaluate(PUBLISH, asked)
    assert audio == ["audio/red", "audio/opus"]
    assert video == [f"video/{codec}", "video/rtx"]
    viewer = await visit(show.watch, "en-US")
    await people.sees(viewer)
    await comes_true(viewer, SEEN, codec)
    await comes_true(publisher, SENT, codec)


async def comes_true(page: Page, told: str, codec: str) -> None:
    """The page's connection tells it before long."""
    async with asyncio.timeout(WITHIN_S):
        while not await page.evaluate(told, [codec, FRAMES]):
            await asyncio.sleep(0)
