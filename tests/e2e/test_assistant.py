"""The shop assistant in the pages: asked by a viewer, taught and switched off by the seller."""

from pathlib import Path

from playwright.async_api import expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving


async def test_a_seller_teaches_the_assistant_and_sees_what_it_said(
    tmp_path: Path, visit: Visit
) -> None:
    async with serving(tmp_path / "node") as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=4)
        await people.press(seller, "tab-show")
        await part(seller, "assistant").locator("summary").click()
        await expect(part(seller, "assistant-on")).to_be_checked()
        await people.press(seller, "faq-add")
        await people.fill(seller, faq_question="선물 포장 되나요?", faq_answer="네, 무료예요.")
        await people.press(seller, "faq-save")
        await expect(part(seller, "faq-alert")).to_have_text("저장했어요.")

        viewer = await visit(watch, "ko-KR")
        await people.join(viewer, "Mina")
        await people.say(viewer, "선물 포장 되나요?")
        await people.hears(viewer, "네, 무료예요.")
        await people.hears(viewer, "도우미")

        await seller.reload()
        await part(seller, "assistant").locator("summary").click()
        await expect(part(seller, "answered")).to_contain_text("네, 무료예요.")
        await expect(part(seller, "faq-answer")).to_have_value("네, 무료예요.")
        await part(seller, "assistant-on").uncheck()
        await people.press(seller, "faq-save")
        await expect(part(seller, "faq-alert")).to_have_text("저장했어요.")
        width = await seller.evaluate("document.documentElement.scrollWidth")
        assert width <= await seller.evaluate("innerWidth")
        await part(seller, "assistant").screenshot(path=str(tmp_path / "assistant.png"))
