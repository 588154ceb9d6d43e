"""What a viewer's page tells of its picture: its size, its freezes, and nothing of a pause."""

from typing import Any

from playwright.async_api import Page

from live.pages.statics import static_url
from tests.pages.canned import BASE

SIZES = [
    ("contain", (390, 700), (1280, 720), 440),
    ("contain", (1280, 720), (1280, 720), 1440),
    ("contain", (1280, 720), (320, 180), 1440),
    ("cover", (390, 844), (1280, 720), 1690),
    ("cover", (390, 844), (720, 1280), 1690),
    ("contain", (390, 844), (720, 1280), 1390),
    ("contain", (4, 4), (1280, 720), 10),
    ("contain", (0, 0), (1280, 720), None),
    ("contain", (390, 844), (0, 0), None),
]


async def test_lines_worth_sending_follow_the_size_that_is_shown(page: Page) -> None:
    await page.goto(f"{BASE}/")
    found = await page.evaluate(
        """async ([url, sizes]) => {
            const { linesOf } = await import(url);
            return sizes.map(([fit, [width, height], [videoWidth, videoHeight]]) => {
                const video = document.createElement("video");
                video.style.cssText =
                    `position:fixed;max-width:none;object-fit:${fit};width:${width}px;height:${height}px`;
                document.body.append(video);
                for (const [name, value] of Object.entries({ videoWidth, videoHeight })) {
                    Object.defineProperty(video, name, { value });
                }
                return linesOf(video);
            });
        }""",
        [static_url("js/sight.js"), [list(size[:3]) for size in SIZES]],
    )
    assert found == [size[3] for size in SIZES]


async def _counted(page: Page, story: list[Any]) -> Any:
    """What is counted of a story of looks `[freezes, frozen_s, frames]` and pauses."""
    await page.goto(f"{BASE}/")
    return await page.evaluate(
        """async ([url, story]) => {
            const { Freezes } = await import(url);
            const count = new Freezes();
            for (const step of story) {
                if (step === "pause") count.pause();
                else count.look({ freezes: step[0], frozen_s: step[1], frames: step[2] });
            }
            return [count.counted.freezes, count.counted.frozen_s];
        }""",
        [static_url("js/sight.js"), story],
    )


async def test_freezes_add_up(page: Page) -> None:
    assert await _counted(page, [[0, 0, 10], [1, 0.5, 40], [3, 2.5, 70]]) == [3, 2.5]


async def test_a_pause_is_no_freeze(page: Page) -> None:
    seen_again = [[1, 0.5, 45], [1, 0.5, 45], [2, 60.5, 46], [2, 60.5, 90], [3, 61, 120]]
    assert await _counted(page, [[1, 0.5, 40], "pause", *seen_again]) == [2, 1]


async def test_pauses_may_follow_each_other(page: Page) -> None:
    story = ["pause", [0, 0, 10], "pause", [1, 9, 12], [1, 9, 12], [2, 20, 13], [2, 20, 30]]
    assert await _counted(page, story) == [0, 0]
