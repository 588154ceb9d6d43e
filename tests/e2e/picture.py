"""What a page's video really shows: frames counted where they are made and where they are decoded,
and the picture itself, looked at once a second.

Counting is the browser's own (`getStats`), reached through the peer connections that
`KEEP_PEERS` notes down before the page's scripts run.
"""

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

LOOK_EVERY_MS: Final = 1_000
BLACK: Final = 16
"""The darkest luma of video; a picture whose mean lies near it is black."""
LEAST_CAMERA_RATE: Final = 10
"""Frames per second; a fake camera that gives less says nothing about the road."""
LEAST_SHARE: Final = 0.75
"""Of the camera's frames that a viewer must have seen."""
NOISE: Final = 8
"""One of a pixel's colours must change by more than coding noise to have changed."""


class Page(Protocol):
    """A page of any browser: it calls a JavaScript function with an argument."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """What the function gives, as JSON has it."""


KEEP_PEERS: Final = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peers.push(this); }
};
"""

LOOK: Final = """
async ({ test, row, count, everyMs, forMs }) => {
  const video = document.querySelector(`[data-test=${test}]`);
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  const frames = async () => {
    let sum = 0;
    for (const peer of window.peers) {
      for (const stats of (await peer.getStats()).values()) {
        if (stats.type === row && stats.kind === "video") sum += stats[count] ?? 0;
      }
    }
    return sum;
  };
  const colours = () => {
    brush.drawImage(video, 0, 0, 64, 36);
    const pixels = [...brush.getImageData(0, 0, 64, 36).data];
    return [0, 1, 2].map((colour) => pixels.filter((_, at) => at % 4 === colour));
  };
  const looks = [];
  const start = performance.now();
  for (;;) {
    looks.push({ frames: await frames(), colours: colours() });
    const elapsed = performance.now() - start;
    if (elapsed >= forMs) return { elapsed, looks };
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
"""


PORTS: Final = """
() => window.peers.flatMap((peer) => [
  ...(peer.remoteDescription?.sdp ?? "").matchAll(/a=candidate:\\S+ \\d+ \\S+ \\d+ \\S+ (\\d+)/g),
].map(([, port]) => port))
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen: frames per second, new ones in each second, the darkest mean luma, and in how
    many seconds the picture changed."""

    rate: float
    grown: tuple[int, ...]
    brightness: float
    moving: int

    @property
    def steady(self) -> bool:
        """Whether every second brought frames."""
        return all(frames > 0 for frames in self.grown)


async def look(page: Page, test: str, row: str, count: str, seconds: int) -> Look:
    """Look at a video, and at the count of frames in its kind of statistics."""
    asked = {"test": test, "row": row, "count": count}
    told: dict[str, Any] = await page.evaluate(
        LOOK, {**asked, "everyMs": LOOK_EVERY_MS, "forMs": seconds * 1000}
    )
    looks = told["looks"]
    pairs = list(pairwise(looks))
    return Look(
        rate=(looks[-1]["frames"] - looks[0]["frames"]) * 1000 / told["elapsed"],
        grown=tuple(after["frames"] - before["frames"] for before, after in pairs),
        brightness=min(_luma(one["colours"]) for one in looks),
        moving=sum(_differ(before["colours"], after["colours"]) for before, after in pairs),
    )


async def picture_reaches(seller: Page, *viewers: Page, seconds: int) -> None:
    """Every viewer sees what the camera sees: moving, not black, hardly a frame lost."""
    camera, *seen = await asyncio.gather(
        look(seller, "preview", "media-source", "frames", seconds),
        *(look(page, "video", "inbound-rtp", "framesDecoded", seconds) for page in viewers),
    )
    assert camera.rate >= LEAST_CAMERA_RATE, camera
    for look_of_viewer in seen:
        _demand(look_of_viewer, camera.rate, seconds)


async def expect_picture(page: Page, rate: float, seconds: int) -> None:
    """A viewer sees a picture of so many frames per second: moving, not black, hardly one lost."""
    _demand(await look(page, "video", "inbound-rtp", "framesDecoded", seconds), rate, seconds)


def _demand(seen: Look, rate: float, seconds: int) -> None:
    assert seen.steady, seen
    assert seen.rate >= LEAST_SHARE * rate, (rate, seen)
    assert seen.brightness > 2 * BLACK, seen
    assert seen.moving >= LEAST_SHARE * seconds, seen


async def media_ports(page: Page) -> set[str]:
    """The ports of the nodes whose answers this page's connections took."""
    found: list[str] = await page.evaluate(PORTS)
    return set(found)


def _luma(colours: list[list[int]]) -> float:
    """Mean luma of a picture given as its reds, greens and blues (BT.601)."""
    red, green, blue = (sum(colour) / len(colour) for colour in colours)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _differ(before: list[list[int]], after: list[list[int]]) -> bool:
    return any(
        abs(old - new) > NOISE
        for olds, news in zip(before, after, strict=True)
        for old, new in zip(olds, news, strict=True)
    )
