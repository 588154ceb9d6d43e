"""The seller's picture in several sizes: their shares, and what is sent without simulcast."""

from typing import Any

import pytest
from playwright.async_api import Page

from live.pages.statics import static_url
from tests.pages.canned import BASE

CHOICES = [
    (2_500_000, {"q": 120_000, "h": 400_000, "f": 1_980_000}),
    (1_500_000, {"q": 120_000, "h": 400_000, "f": 980_000}),
    (800_000, {"q": 120_000, "h": 680_000}),
    (200_000, {"q": 200_000}),
]


@pytest.mark.parametrize(("chosen", "shares"), CHOICES)
async def test_sizes_share_what_the_seller_chose(
    page: Page, chosen: int, shares: dict[str, int]
) -> None:
    await page.goto(f"{BASE}/")
    layers: list[dict[str, Any]] = await page.evaluate(
        "async ([url, chosen]) => (await import(url)).layersOf(chosen)",
        [static_url("js/simulcast.js"), chosen],
    )
    assert [layer["rid"] for layer in layers] == ["q", "h", "f"]
    assert [layer["scaleResolutionDownBy"] for layer in layers] == [4, 2, 1]
    active = {layer["rid"]: layer["maxBitrate"] for layer in layers if layer["active"]}
    assert active == shares
    assert sum(active.values()) == chosen


OFFERED = """
async ([url, cores, simulcast]) => {
    Object.defineProperty(navigator, "hardwareConcurrency", { get: () => cores });
    const { addCamera, limitBitrate } = await import(url);
    const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
    canvas.getContext("2d");
    const stream = canvas.captureStream();
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const { sender } = addCamera(here, stream.getTracks()[0], stream, 2_500_000);
    await here.setLocalDescription(await here.createOffer());
    await there.setRemoteDescription(here.localDescription);
    await there.setLocalDescription(await there.createAnswer());
    const { type, sdp } = there.localDescription;
    const rids = ["q", "h", "f"].map((rid) => `a=rid:${rid} recv\\r\\n`).join("");
    const taken = `${rids}a=simulcast:recv q;h;f\\r\\n`;
    await here.setRemoteDescription({ type, sdp: simulcast ? sdp + taken : sdp });
    await limitBitrate(here, 800_000);
    const told = sender.getParameters().encodings.map(
        (one) => [one.active, one.maxBitrate, one.scaleResolutionDownBy]);
    const offered = here.localDescription.sdp.includes("a=simulcast:send q;h;f");
    [here, there].forEach((peer) => peer.close());
    return [offered, told];
}
"""
WHOLE = [[True, 800_000, 1]]
LAYERED = [[True, 120_000, 4], [True, 680_000, 2], [False, 600_000, 1]]


@pytest.mark.parametrize(
    ("cores", "simulcast", "offered", "encodings"),
    [(8, True, True, LAYERED), (8, False, True, WHOLE), (2, False, False, WHOLE)],
)
async def test_one_size_is_sent_whole_where_there_is_no_simulcast(
    page: Page, cores: int, simulcast: bool, offered: bool, encodings: list[Any]
) -> None:
    await page.goto(f"{BASE}/")
    given = [static_url("js/simulcast.js"), cores, simulcast]
    assert await page.evaluate(OFFERED, given) == [offered, encodings]


async def test_the_answer_says_where_to_begin(page: Page) -> None:
    await page.goto(f"{BASE}/")
    audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 a=1\r\n"
    video = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 H264/90000\r\n"
    rtx = "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
    answers = [audio + video + "a=fmtp:96 b=2\r\n" + rtx, audio + video + rtx, audio]
    told = await page.evaluate(
        """async ([url, answers]) => {
            const { startingAt } = await import(url);
            return answers.map((answer) => startingAt(answer, 1_500_000));
        }""",
        [static_url("js/simulcast.js"), answers],
    )
    start = "x-google-start-bitrate=750\r\n"
    assert told == [
        f"{audio}{video}a=fmtp:96 b=2;{start}{rtx}",
        f"{audio}{video}a=fmtp:96 {start}{rtx}",
        audio,
    ]
