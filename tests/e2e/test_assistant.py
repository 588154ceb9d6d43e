"""The shop assistant in the pages: asked by a viewer, taught and switched off by the seller."""

from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving

QUESTION = "선물 포장 되나요?"
ANSWER = "네, 무료예요."


async def open_panel(seller: Page) -> None:
    """Open the assistant's panel of the console."""
    await people.press(seller, "tab-show")
    await people.press(seller, "assistant-open")
    await expect(part(seller, "faq-add")).to_be_enabled()


async def teach(seller: Page) -> None:
    """A half entry is refused; what is typed outlives closing the panel; a whole one is kept."""
    await people.press(seller, "faq-add")
    await people.fill(seller, faq_question=QUESTION)
    await people.press(seller, "faq-save")
    await expect(part(seller, "faq-alert")).to_have_text("질문과 답을 모두 적어 주세요.")
    await expect(part(seller, "faq-answer")).to_be_focused()
    await people.press(seller, "assistant-open")
    await people.press(seller, "assistant-open")
    await expect(part(seller, "faq-question")).to_have_value(QUESTION)
    await people.fill(seller, faq_answer=ANSWER)
    await people.press(seller, "faq-save")
    await expect(part(seller, "faq-saved")).to_have_text("저장했어요.")
    await expect(part(seller, "faq-alert")).to_be_hidden()


async def fits(page: Page) -> None:
    """Nothing of the page lies beside a phone's screen."""
    beside = "document.documentElement.scrollWidth - innerWidth"
    assert await page.evaluate(beside) <= 0


async def test_a_seller_teaches_the_assistant_and_sees_what_it_said(
    migrated_dir: Path, visit: Visit
) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=4)
        await open_panel(seller)
        await expect(part(seller, "assistant-on")).to_be_checked()
        await teach(seller)

        viewer = await visit(watch, "ko-KR")
        await people.join(viewer, "Mina")
        await people.say(viewer, QUESTION)
        await people.hears(viewer, ANSWER)
        await people.hears(viewer, "도우미")
        await expect(part(seller, "answered")).to_contain_text(ANSWER)

        await part(seller, "assistant-on").uncheck()
        await expect(part(seller, "assistant-on")).to_be_enabled()
        await fits(seller)
        await fits(viewer)

        await seller.reload()
        await open_panel(seller)
        await expect(part(seller, "assistant-on")).not_to_be_checked()
        await expect(part(seller, "faq-answer")).to_have_value(ANSWER)
        await people.press(seller, "faq-open")
        await people.press(seller, "faq-remove")
        await people.press(seller, "faq-save")
        await expect(part(seller, "faq-saved")).to_have_text("저장했어요.")
        await expect(part(seller, "faq-row")).to_have_count(0)
