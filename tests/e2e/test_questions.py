"""A viewer asks the seller about a product; the answer stays with it, for who comes later too."""

import asyncio
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e import people
from tests.e2e.conftest import Visit
from tests.e2e.people import part
from tests.e2e.server import serving
from tests.e2e.test_moderation import in_reach

ASKED = "향이 진한가요?"
ANSWER = "은은하고 오래가요."


async def ask(viewer: Page, text: str) -> None:
    """Switch the box to a question and send it."""
    await in_reach(viewer, "ask")
    await people.press(viewer, "ask")
    await people.say(viewer, text)
    await expect(part(viewer, "deed-done")).to_contain_text("질문을 보냈어요")
    await expect(part(viewer, "ask")).to_have_attribute("aria-pressed", "false")


async def risen(page: Page) -> None:
    """The sheet that is open stands where it stays."""
    rising = (
        "[...document.querySelector('dialog[open]').getAnimations()].map((one) => one.finished)"
    )
    await page.evaluate(f"Promise.all({rising}).then(() => null)")


async def asks_about_the_pinned_product(viewer: Page, seller: Page) -> None:
    """The box says what the question is about; the seller sees it wait, and writes an answer."""
    await people.press(viewer, "ask")
    await expect(part(viewer, "asking")).to_contain_text("Peony에 대한 질문")
    await people.press(viewer, "ask")
    await expect(part(viewer, "asking")).to_be_hidden()
    await ask(viewer, ASKED)
    await expect(part(viewer, "said-question")).to_have_text("질문")
    await people.press(seller, "tab-talk")
    await expect(part(seller, "questions-count")).to_have_text("1")
    await in_reach(seller, "questions-open")
    await people.press(seller, "questions-open")
    await expect(part(seller, "question")).to_contain_text(ASKED)
    await expect(part(seller, "question")).to_contain_text("Peony")
    await risen(seller)
    await in_reach(seller, "question-live", "question-write", "question-dismiss")
    await people.press(seller, "question-write")
    await people.fill(seller, question_answer=ANSWER)
    await in_reach(seller, "question-send")
    await people.press(seller, "question-send")
    await expect(part(seller, "question")).to_have_count(0)
    await expect(part(seller, "questions-count")).to_be_hidden()


async def sees_answer(page: Page) -> None:
    """The answer is on the card of the pinned product, and where it was asked."""
    card = part(page, "pinned")
    await card.locator("[data-test=answers-open]").click()
    await expect(card.locator("[data-test=product-answer]")).to_contain_text(ASKED)
    await expect(card.locator("[data-test=product-answer]")).to_contain_text(ANSWER)
    await expect(part(page, "said-answered")).to_have_text("답변 완료")
    await expect(part(page, "said-answer")).to_have_text(ANSWER)


async def is_answered_on_air_and_dismissed(viewer: Page, seller: Page) -> None:
    """From a product's card and about the show: one is answered on air, the other dismissed."""
    await people.press(viewer, "products")
    await people.press(viewer, "ask-about")
    await expect(part(viewer, "asking")).to_contain_text("Peony")
    await people.press(viewer, "asking-drop")
    await expect(part(viewer, "asking")).to_have_text("판매자에게 질문하기")
    await people.say(viewer, "다음 방송은 언제예요?")
    await expect(part(seller, "question")).to_have_count(1)
    await people.press(seller, "question-live")
    await expect(part(viewer, "said-answered").last).to_have_text("방송에서 답변")
    await expect(part(seller, "question")).to_have_count(0)


async def test_a_question_is_answered_and_the_answer_stays_with_its_product(
    migrated_dir: Path, visit: Visit
) -> None:
    async with serving(migrated_dir) as server:
        seller = await visit(f"{server.url}/sell", "ko-KR")
        watch = server.url + await people.open_shop(seller, "Peony", stock=4)
        await people.pin(seller)
        viewer, guest = await asyncio.gather(visit(watch, "ko-KR"), visit(watch, "ko-KR"))
        await people.join(viewer, "Mina")
        await asks_about_the_pinned_product(viewer, seller)
        await expect(part(viewer, "deed-done")).to_have_text("내 질문에 답이 달렸어요.")
        await asyncio.gather(sees_answer(viewer), sees_answer(guest))
        newcomer = await visit(watch, "ko-KR")
        await sees_answer(newcomer)
        await newcomer.goto(f"{server.url}/stores/sora")
        await people.press(newcomer, "answers-open")
        await expect(part(newcomer, "product-answer")).to_contain_text(ANSWER)
        await is_answered_on_air_and_dismissed(viewer, seller)
        await people.join(guest, "Jun")
        await ask(guest, "포장도 되나요?")
        await expect(part(seller, "question")).to_have_count(1)
        await seller.reload()
        await people.press(seller, "tab-talk")
        await expect(part(seller, "questions-count")).to_have_text("1")
        await people.press(seller, "questions-open")
        await people.press(seller, "question-dismiss")
        await expect(part(seller, "question")).to_have_count(0)
