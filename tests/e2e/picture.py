"""What a page's video really shows: frames counted where they are made and where they are decoded,
and the picture itself, looked at once a second.

Counting is the browser's own (`getStats`), reached through the peer connections that
`KEEP_PEERS` notes down before the page's scripts run.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from playwright.async_api import Page

LOOK_FOR_MS: Final = 10_000
LOOK_EVERY_MS: Final = 1_000
BLACK: Final = 16
"""The darkest luma of video; a picture whose mean lies near it is black."""
NOISE: Final = 8
"""A pixel's luma must change by more than coding noise to have changed."""

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
  const luma = () => {
    brush.drawImage(video, 0, 0, 64, 36);
    const pixels = brush.getImageData(0, 0, 64, 36).data;
    const luma = [];
    for (let at = 0; at < pixels.length; at += 4) {
      luma.push(Math.round(0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]));
    }
    return luma;
  };
  const looks = [];
  const start = performance.now();
  for (;;) {
    looks.push({ frames: await frames(), luma: luma() });
    const elapsed = performance.now() - start;
    if (elapsed >= forMs) return { elapsed, looks };
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen in some seconds: frames by the end of each, mean luma, share of it changed."""

    rate: float
    grown: tuple[int, ...]
    brightness: float
    moving: int

    @property
    def steady(self) -> bool:
        """Whether every second brought frames."""
        return all(frames > 0 for frames in self.grown)


async def look(page: Page, test: str, row: str, count: str) -> Look:
    """Look at a video for ten seconds, and at the count of frames in its kind of statistics."""
    asked = {"test": test, "row": row, "count": count}
    told: dict[str, Any] = await page.evaluate(
        LOOK, {**asked, "everyMs": LOOK_EVERY_MS, "forMs": LOOK_FOR_MS}
    )
    looks = told["looks"]
    pairs = list(pairwise(looks))
    lumas = [one["luma"] for one in looks]
    return Look(
        rate=(looks[-1]["frames"] - looks[0]["frames"]) * 1000 / told["elapsed"],
        grown=tuple(after["frames"] - before["frames"] for before, after in pairs),
        brightness=min(sum(luma) / len(luma) for luma in lumas),
        moving=sum(_differ(before["luma"], after["luma"]) for before, after in pairs),
    )


async def look_at_camera(page: Page) -> Look:
    """The publisher's preview, and the frames its camera delivered."""
    return await look(page, "preview", "media-source", "frames")


async def look_at_show(page: Page) -> Look:
    """A viewer's picture, and the frames it decoded."""
    return await look(page, "video", "inbound-rtp", "framesDecoded")


def _differ(before: list[int], after: list[int]) -> bool:
    return any(abs(old - new) > NOISE for old, new in zip(before, after, strict=True))
