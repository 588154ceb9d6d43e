"""The room's rules on the console: the trail of what was done, page by page, by names."""

from typing import Any, Final

from playwright.async_api import Page, Request, Route, expect

from live.pages.statics import static_url
from tests.pages.canned import BASE, WELCOME

PAGE: Final = 50
DEEDS: Final = PAGE + 3


def noted(number: int) -> dict[str, Any]:
    """So many-th deed."""
    whom = "a7" if number % 2 else "assistant"
    deed = {"what": "delete", "actor": "a1", "whom": whom, "detail": f"<b>{number}</b>"}
    return {"id": number, "deed": deed | {"reason": "", "at_ms": 0}}


async def test_the_trail_is_read_page_by_page(page: Page) -> None:
    asked: list[str] = []

    async def answer(route: Route, request: Request) -> None:
        before = int(request.url.partition("trail_before=")[2] or DEEDS + 1)
        asked.append(request.method)
        names = {"a1": "Dal"} if before > DEEDS else {"a7": "Troll"}
        trail = [noted(number) for number in range(before - 1, max(0, before - 1 - PAGE), -1)]
        view = {"settings": WELCOME["room"], "sanctions": [], "reports": [], "moderators": []}
        await route.fulfill(json=view | {"trail": trail, "names": names})

    await page.route("**/shows/s1/moderation*", answer)
    await page.goto(f"{BASE}/sell")
    await page.evaluate(
        """async (url) => {
            const { HouseSheet } = await import(url);
            await new HouseSheet({ show: () => "s1", store: () => "flowers", open() {} }).load();
            document.getElementById("house-sheet").showModal();
        }""",
        static_url("js/house_sheet.js"),
    )
    rows = page.locator("[data-test=trail]")
    await expect(rows).to_have_count(PAGE)
    await expect(rows.first).to_contain_text(f"Deleted a message → a7<b>{DEEDS}</b>Dal")
    await expect(rows.nth(1)).to_contain_text("→ Assistant")
    await page.click("[data-test=trail-more]")
    await expect(rows).to_have_count(DEEDS)
    await expect(rows.last).to_contain_text("→ Troll<b>1</b>")
    await expect(page.locator("[data-test=trail-more]")).to_be_hidden()
    assert asked == ["GET"] * 2
