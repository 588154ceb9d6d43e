"""A seller moderates with a thumb on a phone; a viewer's browser shows what comes of it."""

import asyncio
from pathlib import Path
from typing import Final

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import PHONE_HEIGHT, PHONE_WIDTH, Visit
from tests.e2e.people import part
from tests.e2e.server import serving

THUMB_PX: Final = 44


async def act(seller: Page, text: str, deed: str) -> None:
    """Tap a message and do something about it."""
    await part(seller, "talk").get_by_text(text, exact=True).click()
    await in_reach(seller, f"deed-{deed}")
    await people.press(seller, f"deed-{deed}")
    await expect(part(seller, "deed-sheet")).to_be_hidden()


async def in_reach(page: Page, *tests: str) -> None:
    """These are on the screen and as large as a thumb."""
    for test in tests:
        await part(page, test).scroll_into_view_if_needed()
        box = await part(page, test).bounding_box()
        assert box is not None, test
        assert box["width"] >= THUMB_PX, (test, box)
        assert box["height"] >= THUMB_PX, (test, box)
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE_WIDTH, (test, box)
        assert 0 <= box["y"] <= box["y"] + box["height"] <= PHONE_HEIGHT, (test, box)


async def room_of_three(url: str, visit: Visit) -> tuple[Page, Page, Page]:
    """A seller at the talk, and two viewers who have spoken."""
    seller = await visit(f"{url}/sell", "en-US")
    watch = url + await people.open_shop(seller, "Peony", stock=1)
    mina, jun = await asyncio.gather(visit(watch, "en-US"), visit(watch, "ko-KR"))
    await asyncio.gather(people.join(mina, "Mina"), people.join(jun, "Jun"))
    await people.press(seller, "tab-talk")
    for page, text in ((mina, "Is it fragrant?"), (jun, "Buy it elsewhere")):
        await people.say(page, text)
        await asyncio.gather(*(people.hears(one, text) for one in (seller, mina, jun)))
    return seller, mina, jun


async def reports_and_deletes(seller: Page, mina: Page, jun: Page) -> None:
    """What a viewer reports the seller sees; deleted it is gone for everybody."""
    await part(mina, "talk").get_by_text("Buy it elsewhere", exact=True).click()
    await people.press(mina, "deed-report")
    await expect(part(seller, "reports-count")).to_have_text("1")
    await in_reach(seller, "house-open")
    await people.press(seller, "house-open")
    await in_reach(seller, "report-act", "report-settle")
    await people.press(seller, "report-act")
    await people.press(seller, "deed-delete")
    for page in (mina, jun):
        await expect(part(page, "talk").get_by_text("Buy it elsewhere")).to_have_count(0)
    await people.press(seller, "report-settle")
    await expect(part(seller, "report")).to_have_count(0)
    await people.press(seller, "house-close")


async def mutes_and_lifts(seller: Page, jun: Page) -> None:
    """A mute is told to whom it concerns with the time left, until it is lifted."""
    await people.say(jun, "Still here")
    await people.hears(seller, "Still here")
    await act(seller, "Still here", "mute_10")
    await expect(part(jun, "house")).to_contain_text("채팅이 제한됐어요.")
    await expect(part(jun, "house-left")).to_contain_text("9:")
    await expect(part(jun, "say")).to_be_disabled()
    await people.press(seller, "house-open")
    await expect(part(seller, "sanction")).to_contain_text("Jun")
    await in_reach(seller, "lift")
    await people.press(seller, "lift")
    await expect(part(jun, "house")).to_be_hidden()
    await expect(part(jun, "say")).to_be_enabled()
    await people.press(seller, "house-close")


async def appoints_and_dismisses(seller: Page, jun: Page) -> None:
    """Who is made a moderator may act at once, and no more once dismissed; both are noted."""
    await act(seller, "Still here", "appoint")
    await people.press(seller, "house-open")
    await expect(part(seller, "moderator")).to_contain_text("Jun")
    await part(jun, "talk").get_by_text("Is it fragrant?", exact=True).click()
    await expect(part(jun, "deed-ban")).to_be_visible()
    await in_reach(seller, "dismiss")
    await people.press(seller, "dismiss")
    await expect(part(jun, "deed-sheet")).to_be_hidden()
    await expect(part(seller, "moderator")).to_have_count(0)
    trail = part(seller, "trail")
    await expect(trail.nth(0)).to_contain_text("Dismissed as moderator → Jun")
    await expect(trail.nth(1)).to_contain_text("Made moderator → Jun")
    await people.press(seller, "house-close")


async def switches(seller: Page, mina: Page, jun: Page) -> None:
    """Slow mode counts down to the next message; in a frozen room only the seller writes."""
    await people.press(seller, "house-open")
    await in_reach(seller, "freeze", "buyers-only", "slow")
    await part(seller, "slow").select_option("60")
    await expect(part(mina, "house")).to_contain_text("every 60 seconds")
    await people.say(mina, "Too soon")
    await expect(part(mina, "house-left")).to_be_visible()
    await expect(part(mina, "send")).to_be_disabled()
    await expect(part(mina, "say")).to_have_value("Too soon")
    await part(seller, "slow").select_option("0")
    await expect(part(mina, "house")).to_be_hidden()
    await people.press(mina, "send")
    await people.hears(jun, "Too soon")
    await part(seller, "freeze").check()
    for page in (mina, jun):
        await expect(part(page, "say")).to_be_disabled()
    await people.press(seller, "house-close")
    await people.say(seller, "A moment please")
    await people.hears(jun, "A moment please")


async def reads_again(seller: Page, jun: Page) -> None:
    """When the show is over everybody reads what was said, and the seller what was deleted too."""
    show = jun.url.rpartition("/watch")[0]
    ended = await seller.evaluate("(show) => fetch(show + '/end', { method: 'POST' })", show)
    assert ended is not None
    await people.press(jun, "past-open")
    await expect(part(jun, "past-said").first).to_contain_text("Is it fragrant?")
    await expect(part(jun, "past-talk").get_by_text("Buy it elsewhere")).to_have_count(0)
    await seller.goto(f"{show}/watch")
    await people.press(seller, "past-open")
    deleted = part(seller, "past-said").filter(has_text="Buy it elsewhere")
    await expect(deleted).to_contain_text("Deleted")


async def test_a_seller_moderates_from_a_phone(migrated_dir: Path, visit: Visit) -> None:
    async with serving(migrated_dir) as server:
        seller, mina, jun = await room_of_three(server.url, visit)
        await reports_and_deletes(seller, mina, jun)
        await mutes_and_lifts(seller, jun)
        await appoints_and_dismisses(seller, jun)
        await act(seller, "Is it fragrant?", "pin")
        await expect(part(jun, "pinned-saying")).to_contain_text("Is it fragrant?")
        await switches(seller, mina, jun)
        await jun.reload()
        await expect(part(jun, "pinned-saying")).to_contain_text("Is it fragrant?")
        await expect(part(jun, "say")).to_be_disabled()
        await expect(part(jun, "talk").get_by_text("Buy it elsewhere")).to_have_count(0)
        await reads_again(seller, jun)
