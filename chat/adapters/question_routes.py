"""Questions over HTTP: the queue for the seller and moderators, the answers for everybody."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chat.core.questions import Question, QuestionAnswered, told_to_everybody
from chat.core.text import TEXT_CODE_POINTS
from chat.ports import Page
from chat.questioning import Questioning

Operation = tuple[str, str, Callable[..., Awaitable[Any]], int]
Place = Annotated[int, Meta(ge=0, lt=2**53)]
AnswerText = Annotated[str, Meta(min_length=1, max_length=TEXT_CODE_POINTS)]


class QuestionAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer in text, null: it was answered on air."""

    text: AnswerText | None


class QuestionQueue(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that wait, oldest first; `more`: the `after` of the next page, null: the last."""

    questions: list[Question]
    more: int | None


class QuestionAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """Answered questions, newest first; `more`: the `before` of the next page, null: the last."""

    answers: list[QuestionAnswered]
    more: int | None


def operations(
    questioning: Questioning, *, demand_product: Callable[[str], Awaitable[object]]
) -> list[Operation]:
    """The operations of questions. `demand_product` raises where there is no such product."""

    async def queue(person: str, show: str, after: Place = 0) -> QuestionQueue:
        """The questions that wait in a show one moderates."""
        page = await questioning.queue(person, show, after)
        return QuestionQueue(questions=list(page.questions), more=page.more)

    async def answer(person: str, show: str, question: str, body: QuestionAnswer) -> Question:
        """Answer a question in text or on air."""
        return await questioning.answer(person, show, question, body.text)

    async def dismiss(person: str, show: str, question: str) -> Question:
        """Dismiss a question, or take its answer back."""
        return await questioning.dismiss(person, show, question)

    async def answers_in_show(show: str, before: Place | None = None) -> QuestionAnswers:
        """The answered questions of a show."""
        return _answers(await questioning.answered_in(show, before))

    async def answers_about_product(product: str, before: Place | None = None) -> QuestionAnswers:
        """The questions about a product that were answered in text."""
        await demand_product(product)
        return _answers(await questioning.answered_about(product, before))

    return [
        ("GET", "/shows/{show}/questions", queue, 200),
        ("POST", "/shows/{show}/questions/{question}/answer", answer, 200),
        ("POST", "/shows/{show}/questions/{question}/dismiss", dismiss, 200),
        ("GET", "/shows/{show}/answers", answers_in_show, 200),
        ("GET", "/products/{product}/answers", answers_about_product, 200),
    ]


def _answers(page: Page) -> QuestionAnswers:
    told = [told for question in page.questions if (told := told_to_everybody(question))]
    return QuestionAnswers(answers=told, more=page.more)
